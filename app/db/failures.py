"""From the driver's errors to the domain's: which failures of the database mean "not now"."""

from collections.abc import Iterator
from contextlib import contextmanager

from asyncpg import exceptions as postgres
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.domain.errors import UnavailableError

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
    OSError,
    TimeoutError,
)


@contextmanager
def connecting() -> Iterator[None]:
    """Turn a database that can't be reached or refuses, or an empty pool, into UnavailableError."""
    try:
        yield
    except (*_NOT_NOW, PoolTimeoutError, DBAPIError) as error:
        raise UnavailableError from error


@contextmanager
def answering() -> Iterator[None]:
    """Turn a database that goes away, is full or takes too long into UnavailableError."""
    try:
        yield
    except DBAPIError as error:
        # SQLAlchemy's own error stands before the driver's.
        cause = error.orig.__cause__ if error.orig is not None else None
        if error.connection_invalidated or isinstance(cause, _NOT_NOW):
            raise UnavailableError from error
        raise
