"""How many events each choice of the form would find."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.db.connections import ReadConnection
from app.queries.facets import Counts, Facet, facets_of_each
from app.queries.filter import EventFilter
from app.queries.knowledge import Knowledge

# What is counted by, with the part of the filter that chooses among it.
_CHOSEN_BY = {
    Facet.FAMILY: "kinds",
    Facet.KIND: "kinds",
    Facet.STATUS: "statuses",
    Facet.VERIFICATION: "verifications",
    Facet.DIRECTION: "directions",
    Facet.REGIME: "regimes",
}
_NOTHING = ""


async def counts_of_choices(
    connection: ReadConnection, wanted: EventFilter, knowledge: Knowledge
) -> tuple[Mapping[Facet, Counts], int]:
    """Return how many events each choice finds, and how many match now.

    Several choices of one list widen the answer, so a choice counts as if it were the only one in
    its list; the other lists stay as they are.
    """
    lists: dict[str, list[Facet]] = defaultdict(list, {_NOTHING: []})
    for facet, name in _CHOSEN_BY.items():
        lists[name if getattr(wanted, name) else _NOTHING].append(facet)
    questions = [
        (_without(wanted, name) if name != _NOTHING else wanted, by) for name, by in lists.items()
    ]
    # Of the question as it stands there is always a count, and it comes first.
    answers = await facets_of_each(connection, questions, knowledge)
    found = {facet: counts for by_facet, _ in answers for facet, counts in by_facet.items()}
    return found, answers[0][1]


def _without(wanted: EventFilter, name: str) -> EventFilter:
    unchosen: Any = {name: ()}
    return replace(wanted, **unchosen)
