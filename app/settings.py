"""What can be configured, from the environment: read once, when a command starts."""

from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.db.pools import CONNECTIONS, FEWEST_CONNECTIONS
from app.domain.errors import MisconfiguredError
from app.domain.text import http_url


def _without_slash(url: str) -> str:
    return http_url(url).rstrip("/")


class Log(StrEnum):
    """What a running service logs."""

    FAULTS = "faults"
    REQUESTS = "requests"


def _addresses(text: str) -> str:
    for each in text.split(","):
        ip_network(each.strip())
    return text


class Settings(BaseSettings):
    """The settings; each is the environment variable of its name with `CHANCERY_` before it."""

    model_config = SettingsConfigDict(env_prefix="CHANCERY_", frozen=True, env_ignore_empty=True)

    database_url: Annotated[
        str | None,
        Field(description="A PostgreSQL of yours; without it the service runs one itself."),
    ] = None
    data_dir: Annotated[
        Path, Field(description="Where the embedded PostgreSQL keeps its data.")
    ] = Path(".chancery")
    public_url: Annotated[
        Annotated[str, AfterValidator(_without_slash)] | None,
        Field(description="What links begin with; without it, the address that was asked."),
    ] = None

    trusted_proxies: Annotated[
        Annotated[str, AfterValidator(_addresses)],
        Field(description="Whose X-Forwarded-For and X-Forwarded-Proto are believed."),
    ] = "127.0.0.1"

    connections: Annotated[
        int,
        Field(
            ge=FEWEST_CONNECTIONS,
            le=1_000,
            description="How many connections to the database each worker may have open.",
        ),
    ] = CONNECTIONS

    writes_a_minute: Annotated[
        int, Field(ge=1, description="How often each key may write in a minute.")
    ] = 1_000

    log: Annotated[
        Log, Field(description="What is logged: `faults` only, or all `requests` as well.")
    ] = Log.FAULTS

    @property
    def embedded(self) -> bool:
        """Whether the service runs its own PostgreSQL."""
        return self.database_url is None


def settings_from_environment() -> Settings:
    """Return the settings.

    Raises:
        MisconfiguredError: a variable's value can't be used; the message names it.

    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = "CHANCERY_" + str(first["loc"][0]).upper()
        reason = first["msg"].removeprefix("Value error, ").rstrip(".")
        raise MisconfiguredError(f"{name}: {reason}.") from error
