"""From the driver's errors to the domain's: which failures mean "not now", and which "too late"."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from asyncpg import exceptions as postgres
from sqlalchemy.exc import DBAPIError, InvalidRequestError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.domain.errors import ConflictError, UnavailableError

_NOT_NOW = (
    postgres.PostgresConnectionError,
    postgres.CannotConnectNowError,
    postgres.AdminShutdownError,
    postgres.CrashShutdownError,
    postgres.InsufficientResourcesError,
    postgres.QueryCanceledError,
    postgres.LockNotAvailableError,
    postgres.DeadlockDetectedError,
    postgres.InterfaceError,
    # What the driver says of a connection that the server is just closing.
    postgres.InternalClientError,
    OSError,
    TimeoutError,
)
# The last is what the pool says where a new connection leads nowhere, either.
_NO_CONNECTION = (postgres.PostgresError, PoolTimeoutError, DBAPIError, InvalidRequestError)


def is_disk_full(error: BaseException) -> bool:
    """Tell whether a file of this process couldn't be written for want of room."""
    return isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}


class LockedError(Exception):
    """Somebody else is at the rows that were to be written."""


@contextmanager
def connecting() -> Iterator[None]:
    """Turn a database that can't be reached or refuses, or an empty pool, into UnavailableError."""
    try:
        yield
    except (*_NOT_NOW, *_NO_CONNECTION) as error:
        raise UnavailableError from error


@contextmanager
def answering() -> Iterator[None]:
    """Turn a database that goes away, is full or takes too long into UnavailableError."""
    try:
        yield
    except _NOT_NOW as error:
        if is_disk_full(error):
            # No connection fails so, only a file of ours that was written meanwhile.
            raise
        raise UnavailableError from error
    except DBAPIError as error:
        if error.connection_invalidated or isinstance(_cause(error), _NOT_NOW):
            raise UnavailableError from error
        raise


@contextmanager
def contending() -> Iterator[None]:
    """Tell what becomes of writing, without the journal's lock, what others may write as well.

    Raises:
        ConflictError: somebody else was faster.
        LockedError: somebody else is at it.

    """
    try:
        yield
    except DBAPIError as error:
        cause = _cause(error)
        if isinstance(cause, postgres.UniqueViolationError):
            raise ConflictError("The same was written by somebody else: send it again.") from error
        if isinstance(cause, (postgres.LockNotAvailableError, postgres.DeadlockDetectedError)):
            raise LockedError from error
        raise


def _cause(error: DBAPIError) -> BaseException | None:
    """Return the driver's own error, before which SQLAlchemy's stands."""
    return error.orig.__cause__ if error.orig is not None else None
