"""Full text: who is meant by the words that people type, as names were when it is asked about."""

from collections.abc import Mapping

from sqlalchemy import ARRAY, ColumnElement, Text, and_, cast, func, or_, select

from app.db.connections import ReadConnection
from app.db.names import PartyWords
from app.domain.search import Phrase, TextQuery, phrase_query, territories_called
from app.queries.filter import has_words
from app.queries.knowledge import Knowledge, Recorded


async def text_condition(connection: ReadConnection, asked: TextQuery, knowledge: Knowledge) -> str:
    """Return the tsquery that events are compared with."""
    await knowledge.settle(connection)
    return asked.tsquery(await _called(connection, asked.phrases, knowledge))


async def _called(
    connection: ReadConnection, phrases: tuple[Phrase, ...], knowledge: Knowledge
) -> Mapping[Phrase, set[str]]:
    """Return who is called so: parties as editors name them, and territories in every language."""
    called = {phrase: territories_called(phrase) for phrase in phrases}
    queries = cast([phrase_query(phrase) for phrase in phrases], ARRAY(Text))
    asked = func.unnest(queries).table_valued("query", with_ordinality="place").render_derived()
    rows = await connection.execute(
        select(asked.c.place, PartyWords.party)
        .join_from(asked, PartyWords, has_words(PartyWords.words, asked.c.query))
        .where(_known(knowledge))
    )
    for row in rows:
        called[phrases[row.place - 1]].add(row.party)
    return called


def _known(knowledge: Knowledge) -> ColumnElement[bool]:
    table = PartyWords
    if not isinstance(knowledge, Recorded):
        return table.known_to.is_(None)
    ended_later = or_(table.known_to.is_(None), table.known_to > knowledge.instant)
    return and_(table.known_from <= knowledge.instant, ended_later)
