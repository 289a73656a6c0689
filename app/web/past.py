"""What a page is as of: every page says at which instant it can be had again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

from app.db.engine import Database, ReadConnection
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
