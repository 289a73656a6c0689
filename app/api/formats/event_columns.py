"""The columns of a table of events.

Where a column holds a field of the document it has the name that an import reads, so that a table
can be corrected and imported again; the others are passed over there.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from app.api.formats.asked import Asked
from app.api.formats.columns import Column, Shape
from app.domain.cells import join, reader_of
from app.domain.labels import word_lists
from app.domain.territories import Territory, territories
from app.domain.vocabulary import Role

EventRow = Mapping[str, Any]
"""An event's document with its `permalink`."""


def event_row(asked: Asked, document: str) -> EventRow:
    """Return what the columns take their cells from."""
    event: dict[str, Any] = json.loads(document)
    return event | {"permalink": asked.permalink(event["id"])}


def _field(name: str, description: str, shape: Shape = Shape.TEXT) -> Column[EventRow]:
    return Column(name, description, reader_of(name), shape)


def _sentences(name: str, description: str) -> Column[EventRow]:
    return Column(name, description, reader_of(name), is_wide=True)


def _entries(of: str, described: Mapping[str, str]) -> Iterator[Column[EventRow]]:
    for inner, description in described.items():
        yield _field(f"{of}.{inner}", description, Shape.LIST)


def _named(name: str, role: Role, description: str) -> Column[EventRow]:
    def cell(event: EventRow) -> str:
        return join([each["name"] for each in event["participants"] if each["role"] == role])

    return Column(name, description, cell, Shape.LIST)


def _of_countries(
    name: str, description: str, told: Callable[[Territory], str | None]
) -> Column[EventRow]:
    def cell(event: EventRow) -> str:
        codes = dict.fromkeys(each["country"] for each in event["participants"])
        found = [told(territories()[code]) or "" for code in codes if code in territories()]
        return join(found) if any(found) else ""

    return Column(name, description, cell, Shape.LIST)


def _kind_in_words(event: EventRow) -> str:
    # A document may hold a kind that a later release has added.
    return word_lists()["kind"].words.get(event["kind"], "")


def _first_source(member: str, event: EventRow) -> str:
    sources = event["sources"]
    first = next((each for each in sources if each["url"]), sources[0])
    return first[member] or ""


EVENT_COLUMNS: tuple[Column[EventRow], ...] = (
    _field(
        "date",
        "The event's own date, exactly as precisely as it is known and no more.",
        Shape.DATE,
    ),
    _sentences("title", "What happened, in a sentence."),
    Column("kind_in_words", "The kind in plain words.", _kind_in_words),
    _field(
        "status",
        "How far the change has got at this event: signalled, proposed, adopted, in_effect; "
        "rejected, withdrawn; or commentary, which makes no change.",
    ),
    _field(
        "verification",
        "How well the event is attested: claimed (only an interested party says so), reported "
        "(independent, unofficial), confirmed (the deciding authority or its gazette), disputed.",
    ),
    _field("direction", "Whether the change is easing, tightening or neutral."),
    _named("actors", Role.ACTOR, "Who decides, acts or speaks, by name."),
    _named("subjects", Role.SUBJECT, "Whose standing changes, by name."),
    _named("proposers", Role.PROPOSER, "Who proposes the change, by name."),
    _named("mentioned", Role.MENTIONED, "Who is mentioned, by name."),
    _of_countries(
        "countries",
        "The countries and other territories of all who take part, by name. The word takes no "
        "position on anybody's status.",
        lambda territory: territory.name,
    ),
    _of_countries(
        "countries.code", "The same as the filter `country` has them.", lambda place: place.code
    ),
    _of_countries(
        "countries.alpha2",
        "The same as ISO 3166-1 alpha-2 where there is one. Namibia is NA, which some programs "
        "take for “not available”: go by countries.alpha3 there.",
        lambda territory: territory.alpha2,
    ),
    _of_countries(
        "countries.alpha3",
        "The same as ISO 3166-1 alpha-3 where there is one.",
        lambda territory: territory.alpha3,
    ),
    _sentences("summary", "What happened and how it is known; where sources disagree it says so."),
    _field("place", "Where it happened."),
    Column(
        "first_source.publisher",
        "The publisher of the first source that has an address, else of the first source.",
        partial(_first_source, "publisher"),
    ),
    Column(
        "first_source.url",
        "The address of the first source that has one.",
        partial(_first_source, "url"),
        Shape.LINK,
    ),
    Column(
        "source_count",
        "How many sources the event rests on; the columns sources.… have them all.",
        lambda event: str(len(event["sources"])),
        Shape.NUMBER,
    ),
    _field(
        "permalink",
        "The event's page in the register, with its sources and its history.",
        Shape.LINK,
    ),
    _field("id", "The event's permanent id."),
    _field("kind", "What happens, as a code: family.verb. /v1/vocabulary/kind has them all."),
    _field("earliest", "The first day on which it may have happened; empty if open.", Shape.DAY),
    _field("latest", "The last day on which it may have happened; empty if open.", Shape.DAY),
    _field("date_basis", "Which of the named dates the event's own date is."),
    _field("dates.occurred", "When it happened.", Shape.DATE),
    _field("dates.announced", "When it was made known.", Shape.DATE),
    _field("dates.adopted", "When it was decided.", Shape.DATE),
    _field("dates.signed", "When it was signed.", Shape.DATE),
    _field("dates.effective", "When it took or takes effect.", Shape.DATE),
    _field("dates.effective_until", "The last day on which it is in effect.", Shape.DATE),
    _field("regime", "The list or legal instrument, as a code: /v1/regimes has them all."),
    _field("measure", "The dossier that the event belongs to: /v1/measures has them all."),
    *_entries(
        "participants",
        {
            "party": "The ids of all who take part.",
            "name": "Their names.",
            "kind": "What they are: state, government, organisation …",
            "country": "The code of the territory that each belongs to.",
            "role": "What each does: actor, subject, proposer, mentioned.",
            "organ": "The organ through which each acts.",
            "person": "The person through whom each acts.",
        },
    ),
    *_entries(
        "relations",
        {
            "type": "How the event bears on others: advances, implements, reverses …",
            "event": "The ids of those other events.",
        },
    ),
    *_entries(
        "sources",
        {
            "url": "The addresses of all sources.",
            "title": "Their titles.",
            "publisher": "Their publishers.",
            "published": "When each was published.",
            "quote": "The words of each that the event rests on.",
            "language": "The language of each quotation.",
            "accessed": "When each was looked at.",
            "archived": "Where a copy of each is kept.",
        },
    ),
    _field("revision", "The number of the event's revision: 1 is the first.", Shape.NUMBER),
    _field("recorded_at", "When the event was first recorded.", Shape.INSTANT),
    _field("updated_at", "When this revision of it was recorded.", Shape.INSTANT),
)
"""The columns in their order: what people read first, what programs need after it."""
