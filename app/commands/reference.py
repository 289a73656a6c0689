"""Reference data: adding what isn't there, and putting parties and regimes as editors know them.

What is there is left alone when territories or a timeline are added, because an editor may have
corrected it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or

from app.commands import journal
from app.commands.projection import project
from app.commands.revise import Author, latest_revisions
from app.db.engine import WriteConnection
from app.db.projections import EventParty, PartyName, PartyWords
from app.db.tables import Party, PartyRevision, Regime
from app.domain.errors import Fault, RefusedError
from app.domain.names import fold
from app.domain.reference import PartyFacts, RegimeFacts
from app.domain.search import name_words
from app.domain.territories import Territory, territories
from app.domain.vocabulary import PartyKind

_ITSELF = Author("chancery", "A territory of this release.")
_SHOWN_IN_DOCUMENTS = ("name", "kind", "country")
# A party that is younger than what is asked about goes by its first names.
BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


async def add_territories(connection: WriteConnection) -> int:
    """Make a party of every territory that isn't a bloc, and return how many were new."""
    named = [_as_party(each) for each in territories().values() if each.kind != "bloc"]
    return await add_parties(connection, named, _ITSELF)


async def add_parties(
    connection: WriteConnection, parties: Sequence[PartyFacts], author: Author
) -> int:
    """Add the parties whose ids are unseen, and return how many that were."""
    known = set(await connection.scalars(select(Party.id)))
    new = [party for party in parties if party.id not in known]
    if new:
        await journal.lock(connection)
        instant = (await journal.next_place(connection)).recorded_at
        rows = [_row(party) | {"recorded_at": instant} for party in new]
        await connection.execute(insert_or(Party).on_conflict_do_nothing(), rows)
        revisions = [_revision_row(party, 1, instant, author) for party in new]
        await connection.execute(insert_or(PartyRevision).on_conflict_do_nothing(), revisions)
        await _put_names(connection, new)
        words = [_words_row(party.id, party.called, BEFORE_ALL) for party in new]
        await connection.execute(insert_or(PartyWords).on_conflict_do_nothing(), words)
    return len(new)


async def put_party(connection: WriteConnection, party: PartyFacts, author: Author) -> bool:
    """Record a party, or put these facts in place of its own; return whether it is new.

    Documents that show what has changed are made anew, and the old ones kept as past ones.

    Raises:
        RefusedError: it belongs to a territory that doesn't exist, or its id is of the wrong sort.

    """
    _check_id(party)
    if party.country is not None and party.country not in territories():
        message = f"There is no territory {party.country}; /v1/territories lists them."
        raise RefusedError(Fault("body", "country", "unknown_reference", message))
    await journal.lock(connection)
    found = (
        await connection.execute(
            select(Party.id, Party.name, Party.kind, Party.country, Party.aliases).where(
                Party.id == party.id
            )
        )
    ).one_or_none()
    if found is None:
        await add_parties(connection, [party], author)
        return True
    before = PartyFacts.model_validate(found, from_attributes=True)
    if before != party:
        await _change_party(connection, before, party, author)
    return False


async def put_regime(connection: WriteConnection, regime: RegimeFacts) -> bool:
    """Record a regime, or put these facts in place of its own; return whether it is new.

    Raises:
        RefusedError: its issuer doesn't exist.

    """
    if await connection.scalar(select(Party.id).where(Party.id == regime.issuer)) is None:
        message = f"There is no party {regime.issuer}; /v1/parties lists them."
        raise RefusedError(Fault("body", "issuer", "unknown_reference", message))
    new = await add_regimes(connection, [regime])
    if not new:
        row = regime.model_dump() | {"aliases": list(regime.aliases)}
        await connection.execute(update(Regime).where(Regime.code == regime.code).values(row))
    return bool(new)


async def add_regimes(connection: WriteConnection, regimes: Sequence[RegimeFacts]) -> int:
    """Add the regimes whose codes are unseen, and return how many that were."""
    added = await connection.scalars(
        insert_or(Regime)
        .values([regime.model_dump() | {"aliases": list(regime.aliases)} for regime in regimes])
        .on_conflict_do_nothing()
        .returning(Regime.code)
    )
    return len(added.all())


async def rebuild_names(connection: WriteConnection) -> None:
    """Make the names that parties are found by anew from the parties."""
    await connection.execute(delete(PartyName))
    rows = await connection.execute(
        select(Party.id, Party.kind, Party.name, Party.country, Party.aliases)
    )
    await _put_names(
        connection, [PartyFacts.model_validate(row, from_attributes=True) for row in rows]
    )


def _check_id(party: PartyFacts) -> None:
    """Make sure that states go by their territory's code, and nobody else by a code."""
    territory = territories().get(party.id)
    is_state = territory is not None and territory.kind != "bloc"
    if is_state != (party.kind is PartyKind.STATE) or (
        not is_state and party.id != party.id.lower()
    ):
        message = "A state is named by its territory's code, and anybody else by lower-case words."
        raise RefusedError(Fault("body", "kind", "other_kind", message))
    if is_state and party.country != party.id:
        message = f"A state belongs to its own territory: write {party.id}."
        raise RefusedError(Fault("body", "country", "other_country", message))


async def rebuild_words(connection: WriteConnection) -> None:
    """Make what parties were called when anew from their revisions; under the journal's lock."""
    await connection.execute(delete(PartyWords))
    table = PartyRevision
    revisions = await connection.execute(
        select(table.party, table.recorded_at, table.name, table.aliases).order_by(
            table.party, table.revision
        )
    )
    for party, group in groupby(revisions, key=lambda row: row.party):
        first, *later = group
        begins = [BEFORE_ALL, *(row.recorded_at for row in later)]
        rows = [
            _words_row(party, (row.name, *row.aliases), begin, end)
            for row, begin, end in zip([first, *later], begins, [*begins[1:], None], strict=True)
        ]
        await connection.execute(insert(PartyWords), rows)


async def _change_party(
    connection: WriteConnection, before: PartyFacts, party: PartyFacts, author: Author
) -> None:
    instant = (await journal.next_place(connection)).recorded_at
    last = select(func.max(PartyRevision.revision)).where(PartyRevision.party == party.id)
    revision = (await connection.scalar(last) or 0) + 1
    row = _revision_row(party, revision, instant, author)
    await connection.execute(insert(PartyRevision), [row])
    await connection.execute(update(Party).where(Party.id == party.id).values(_row(party)))
    await connection.execute(delete(PartyName).where(PartyName.party == party.id))
    await _put_names(connection, [party])
    so_far = (PartyWords.party == party.id) & PartyWords.known_to.is_(None)
    await connection.execute(update(PartyWords).where(so_far).values(known_to=instant))
    words = [_words_row(party.id, party.called, instant)]
    await connection.execute(insert(PartyWords), words)
    if any(getattr(before, name) != getattr(party, name) for name in _SHOWN_IN_DOCUMENTS):
        showing = select(EventParty.event).where(EventParty.party == party.id).distinct()
        events = list(await connection.scalars(showing))
        await project(connection, await latest_revisions(connection, events), known_from=instant)


async def _put_names(connection: WriteConnection, parties: Sequence[PartyFacts]) -> None:
    keys = {(fold(name), party.id) for party in parties for name in party.names}
    rows = [{"folded": folded, "party": party} for folded, party in keys if folded]
    if rows:
        await connection.execute(insert_or(PartyName).on_conflict_do_nothing(), rows)


def _words_row(
    party: str, called: Sequence[str], since: datetime, until: datetime | None = None
) -> dict[str, Any]:
    words = name_words(called)
    return {"party": party, "known_from": since, "known_to": until, "words": words}


def _row(party: PartyFacts) -> dict[str, Any]:
    return party.model_dump() | {"aliases": list(party.aliases)}


def _revision_row(
    party: PartyFacts, revision: int, instant: datetime, author: Author
) -> dict[str, Any]:
    row = _row(party)
    return {
        "party": row.pop("id"),
        "revision": revision,
        "recorded_at": instant,
        "by": author.name,
        "note": author.note,
        **row,
    }


def _as_party(territory: Territory) -> PartyFacts:
    # The territory's aliases stay in its own table, which names are looked up in as well.
    code = territory.code
    return PartyFacts(id=code, kind=PartyKind.STATE, name=territory.name, country=code)
