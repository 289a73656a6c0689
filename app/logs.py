"""What the running service writes to standard error: one JSON object a line, no secret among it.

The lines of all libraries pass the formatter here, which names the request in whose course they
were written and takes out whatever looks like a key or a password.
"""

import json
import logging
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from app.api.exchange import EXCHANGE
from app.domain.discretion import discreet
from app.settings import Log

MAX_MESSAGE_LENGTH = 500


def configuration(log: Log) -> dict[str, Any]:
    """Return what `logging.config.dictConfig` needs, in every process of the service."""
    level = logging.INFO if log is Log.REQUESTS else logging.WARNING
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": Lines}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
        # More than warnings of the libraries would be statements with what they are given.
        "root": {"level": logging.WARNING, "handlers": ["stderr"]},
        "loggers": {"chancery": {"level": level}, "uvicorn": {"level": level}},
    }


class Lines(logging.Formatter):
    """Makes of each record one JSON object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        exchange = EXCHANGE.get(None)
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage()[:MAX_MESSAGE_LENGTH],
        }
        if exchange:
            line["request"] = exchange.id
        line |= getattr(record, "facts", {})
        if record.exc_info and record.exc_info[1]:
            line["traceback"] = "".join(_told(record.exc_info[1], set()))
        return discreet(json.dumps(line, default=_said))


def _told(error: BaseException, seen: set[int]) -> Iterator[str]:
    """Yield where an error came from, and before it where that came from which caused it."""
    seen.add(id(error))
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    for each in (cause, *getattr(error, "exceptions", ())):
        if each is not None and id(each) not in seen:
            yield from _told(each, seen)
    yield from traceback.format_tb(error.__traceback__)
    yield _said(error) + "\n"


def _said(error: BaseException) -> str:
    """Return an error's name and the first line of what it says.

    What follows are values: of the row that the database refused, of the input that Pydantic did.
    """
    said = str(error).partition("\n")[0][:MAX_MESSAGE_LENGTH]
    return f"{type(error).__qualname__}: {said}"
