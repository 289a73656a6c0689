"""Addresses of databases, as people write them and as SQLAlchemy takes them."""

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from app.domain.errors import MisconfiguredError


def driver_url(text: str) -> URL:
    """Return the SQLAlchemy URL for a PostgreSQL URL as people write it.

    Raises:
        MisconfiguredError: it is no PostgreSQL URL.

    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.get_backend_name() not in ("postgresql", "postgres"):
        raise MisconfiguredError(
            "CHANCERY_DATABASE_URL is no PostgreSQL address: write it as "
            "postgresql://user:password@host:5432/database."
        )
    # libpq calls it sslmode, asyncpg calls it ssl; the values are the same.
    query = {("ssl" if name == "sslmode" else name): value for name, value in url.query.items()}
    return url.set(drivername="postgresql+asyncpg", query=query)
