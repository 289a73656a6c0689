"""What documents show of parties (name, kind, country), as of any instant, from a bounded cache.

Documents are stored without it, so that a party is renamed by adding a revision of it. A party's
revisions never change, so what is cached can only be incomplete: before it is used for what a
statement has read, the parties that were revised up to that statement's snapshot are removed.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import repeat
from sys import getsizeof
from typing import Any

from sqlalchemy import ColumnElement, DateTime, any_, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.conditions import TEXTS
from app.db.connections import ReadConnection
from app.db.tables import ReferenceRevision
from app.domain.document import insert_parties, parties_in, render_party

EXECUTION_OPTION = "party_cache"
"""Under this name SQLAlchemy's connections have the cache of their database."""

MAX_BYTES = 50_000_000
"""Room for some 100,000 parties: with names of 30 letters they take 48 MB (tracemalloc)."""
_ENTRY_BYTES = 120
# A party that was revised more often isn't cached, so that no entry grows without bound.
_MAX_REVISIONS = 100
# If more parties were revised, the cache is emptied instead of asking which.
_MAX_REVISED = 1_000
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


def select_parties_as_of(*conditions: ColumnElement[bool]) -> ColumnElement[datetime]:
    """Return the column `parties_as_of`: when reference data were last changed.

    It goes with documents that are read, so that their parties are those of the same snapshot.

    Args:
        conditions: which of the changes are seen; all without any.

    """
    newest = select(func.max(ReferenceRevision.recorded_at)).where(*conditions)
    return newest.scalar_subquery().label("parties_as_of")


_is_party = ReferenceRevision.type == "party"
_HISTORIES = (
    select(
        ReferenceRevision.id,
        ReferenceRevision.recorded_at,
        ReferenceRevision.facts["name"].astext.label("name"),
        ReferenceRevision.facts["kind"].astext.label("kind"),
        ReferenceRevision.facts["country"].astext.label("country"),
        select_parties_as_of(),
    )
    .where(_is_party, ReferenceRevision.id == any_(bindparam("parties", type_=TEXTS)))
    .order_by(ReferenceRevision.id, ReferenceRevision.revision)
)
_REVISED = (
    select(ReferenceRevision.id)
    .where(
        _is_party,
        ReferenceRevision.revision > 1,
        ReferenceRevision.recorded_at > bindparam("since", type_=DateTime(timezone=True)),
    )
    .limit(_MAX_REVISED + 1)
)

History = tuple[tuple[datetime, str], ...]
"""What documents show of a party, each with the instant since when, in the order of time."""


class PartyCache:
    """What documents show of parties, for all connections of a process to one database."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        """Begin empty.

        Args:
            max_bytes: about how much memory the entries may take.

        """
        self._histories: OrderedDict[str, History] = OrderedDict()
        self._max_bytes = max_bytes
        self._bytes = 0
        self._newest = _BEFORE_ALL

    async def complete(
        self,
        connection: ReadConnection,
        documents: Sequence[str],
        newest: datetime | None,
        as_of: Sequence[datetime] | None = None,
    ) -> list[str]:
        """Return stored documents with what belongs to their parties.

        Args:
            connection: one that sees at least what the documents were read from.
            documents: as they are stored.
            newest: when reference data were last changed, in that snapshot; None if never.
            as_of: the instant as of which each document shows its parties; `newest` without it.

        """
        newest = newest or _BEFORE_ALL
        if newest > self._newest:
            await self._remove_revised(connection, newest)
        instants = as_of or repeat(newest)
        try:
            return _complete(documents, instants, self._histories)
        except KeyError:
            parties = {party for document in documents for party in parties_in(document)}
            return _complete(documents, instants, await self._find(connection, parties))

    async def _remove_revised(self, connection: ReadConnection, newest: datetime) -> None:
        """Remove the parties that were revised up to an instant."""
        if self._histories:
            revised = await connection.execute(_REVISED, {"since": self._newest})
            parties = [row.id for row in revised]
            if len(parties) > _MAX_REVISED:
                self._histories.clear()
                self._bytes = 0
            for party in parties:
                self._remove(party)
        self._newest = max(self._newest, newest)

    async def _find(
        self, connection: ReadConnection, parties: Collection[str]
    ) -> Mapping[str, History]:
        """Return the histories of these parties; those that weren't cached are now."""
        found = {p: self._histories[p] for p in parties if p in self._histories}
        loaded: dict[str, History] = {}
        newest = _BEFORE_ALL
        missing = {"parties": [party for party in parties if party not in found]}
        for row in await connection.execute(_HISTORIES, missing):
            members = render_party(row.id, row.name, row.kind, row.country)
            loaded[row.id] = (*loaded.get(row.id, ()), (row.recorded_at, members))
            newest = row.parties_as_of
        # What was read before the cache was brought up to date may lack the latest revisions.
        if newest >= self._newest:
            for party, history in loaded.items():
                self._add(party, history)
        return found | loaded

    def _add(self, party: str, history: History) -> None:
        if len(history) > _MAX_REVISIONS:
            return
        self._remove(party)
        self._histories[party] = history
        self._bytes += _size_of(party, history)
        while self._bytes > self._max_bytes:
            self._remove(next(iter(self._histories)))

    def _remove(self, party: str) -> None:
        history = self._histories.pop(party, None)
        if history is not None:
            self._bytes -= _size_of(party, history)


def party_cache_of(connection: Any) -> PartyCache:
    """Return the cache of the database that a connection leads to."""
    cache: PartyCache
    if isinstance(connection, AsyncConnection):
        options = connection.sync_connection.get_execution_options()  # type: ignore[union-attr]
        cache = options[EXECUTION_OPTION]
    else:
        cache = connection.party_cache
    return cache


async def complete_documents(connection: ReadConnection, rows: Iterable[Any]) -> list[str]:
    """Return the documents in the rows of one statement, with what belongs to their parties.

    Args:
        connection: the one that the rows were read through.
        rows: each with a stored `document`, and with `parties_as_of`.

    """
    found = list(rows)
    documents = [row.document for row in found]
    if not documents:
        return documents
    cache = party_cache_of(connection)
    return await cache.complete(connection, documents, found[0].parties_as_of)


def _complete(
    documents: Sequence[str], instants: Iterable[datetime], histories: Mapping[str, History]
) -> list[str]:
    def find_members(party: str) -> str:
        history = histories[party]
        # What is older than the party shows it as it was first.
        members = history[0][1]
        if len(history) > 1:
            for since, later in history[1:]:
                if since <= instant:
                    members = later
        return members

    completed = []
    for document, instant in zip(documents, instants, strict=False):  # noqa: B007 - It is used.
        completed.append(insert_parties(document, find_members))
    return completed


def _size_of(party: str, history: History) -> int:
    """Return about how many bytes an entry takes."""
    return _ENTRY_BYTES + getsizeof(party) + sum(_ENTRY_BYTES + getsizeof(m) for _, m in history)
