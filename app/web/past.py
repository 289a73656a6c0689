"""What a page is as of: every page says at which instant it can be had again."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request

from app.api.links import base_url
from app.db.connections import ReadConnection
from app.db.engine import Database
from app.domain.document import instant
from app.queries.knowledge import Announced, Everything, Knowledge, Recorded
from app.queries.moment import newest_change


@dataclass(frozen=True, slots=True)
class Moment:
    """Which documents a page shows.

    `known_at` is what an address needs so that it shows them for ever; it is None where they are
    the latest, chosen by when they were announced. `asked` is what was asked of the past, to be
    carried on by the page's links.
    """

    knowledge: Knowledge
    known_at: str | None
    asked: str

    @property
    def stated(self) -> dict[str, str]:
        """What a question has to state beside its own filter to be about this moment for ever."""
        return {} if self.known_at is None else {"known_at": self.known_at}

    @property
    def query(self) -> str:
        """What the address of another page about the same past ends with."""
        return self.asked and f"?{self.asked}"


@asynccontextmanager
async def one_moment(
    register: Database, knowledge: Knowledge
) -> AsyncIterator[tuple[ReadConnection, Moment]]:
    """Lend a connection on which all that a page shows is of one moment, and that moment."""
    if isinstance(knowledge, Everything):
        async with register.reading_one_moment() as connection:
            yield connection, Moment(knowledge, instant(await newest_change(connection)), "")
        return
    # The past is one moment by itself, and may have to be waited for, which a transaction that
    # has begun can't do.
    async with register.reading() as connection:
        yield connection, _of_the_past(knowledge)


def _of_the_past(knowledge: Recorded | Announced) -> Moment:
    if isinstance(knowledge, Recorded):
        known_at = instant(knowledge.instant)
        return Moment(knowledge, known_at, urlencode({"known_at": known_at}))
    asked = {"known_at": f"{knowledge.day}T00:00:00Z", "knowledge": "announced"}
    return Moment(knowledge, None, urlencode(asked))


def lasting_address(request: Request, moment: Moment, asked: Mapping[str, Any]) -> str | None:
    """Return the address at which this page's answer can be had for ever, if there is one.

    Args:
        request: what is answered.
        moment: what the page is as of.
        asked: the question as it was understood; what is None isn't part of it.

    """
    if moment.known_at is None:
        return None
    given = {n: value for n, value in asked.items() if value is not None}
    # In one order, so that who follows the address is given the same one.
    query = urlencode(sorted({**given, "known_at": moment.known_at}.items()), doseq=True)
    return f"{base_url(request)}{request.url.path}?{query}"
