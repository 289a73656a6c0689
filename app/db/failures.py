"""From the driver's errors to the domain's: which failures mean "not now", and which "too late"."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from asyncpg import exceptions as postgres
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.exc import DBAPIError, InvalidRequestError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.domain.errors import ConflictError, ReadOnlyError, UnavailableError

# By class of SQLSTATE, with what PostgreSQL reports of itself in each. What isn't among them is a
# fault of ours, of the rights or of the data, which waiting doesn't mend.
_NOT_NOW = (
    postgres.PostgresConnectionError,  # 08: the connection is lost or was refused.
    postgres.InsufficientResourcesError,  # 53: disk, memory or connections are used up.
    postgres.OperatorInterventionError,  # 57: cancelled, timed out, starting up, shutting down.
    postgres.TransactionRollbackError,  # 40: a deadlock, or a conflict with what a standby replays.
    postgres.LockNotAvailableError,  # 55P03
    postgres.IdleInTransactionSessionTimeoutError,  # 25P03
    postgres.TransactionTimeoutError,  # 25P04
    postgres.InvalidCachedStatementError,  # 0A000: a migration has just changed what it returns.
    postgres.PostgresIOError,  # 58030: the disk fails.
    postgres.InterfaceError,
    # What the driver says of a connection that the server is just closing.
    postgres.InternalClientError,
    OSError,
    TimeoutError,
)
_NO_CONNECTION = (
    postgres.PostgresError,
    PoolTimeoutError,
    DBAPIError,
    # What a pool gives unwrapped where a connection of the driver's own is taken from it.
    AsyncAdapt_asyncpg_dbapi.Error,
    # What it says where a new connection leads nowhere, either.
    InvalidRequestError,
)


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
        if error.connection_invalidated or isinstance(cause_of(error), _NOT_NOW):
            raise UnavailableError from error
        raise


@contextmanager
def writing() -> Iterator[None]:
    """Turn a database that takes no writes into ReadOnlyError."""
    try:
        yield
    except DBAPIError as error:
        if isinstance(cause_of(error), postgres.ReadOnlySQLTransactionError):
            raise ReadOnlyError from error
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
        cause = cause_of(error)
        if isinstance(cause, postgres.UniqueViolationError):
            raise ConflictError("The same was written by somebody else: send it again.") from error
        if isinstance(cause, (postgres.LockNotAvailableError, postgres.DeadlockDetectedError)):
            raise LockedError from error
        raise


def cause_of(error: DBAPIError) -> BaseException | None:
    """Return the driver's own error, before which SQLAlchemy's stands."""
    return error.orig.__cause__ if error.orig is not None else None
