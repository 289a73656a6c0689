"""Load a timeline: parties, regimes and events from JSON Lines, adding what is unseen only.

Loading twice changes nothing, and what an editor has corrected since is left alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from pydantic import TypeAdapter

from app.commands.parties import add_parties, add_territories
from app.commands.record import NewEvent, record_unseen
from app.commands.regimes import add_regimes
from app.commands.revise import Author
from app.db.connections import WriteConnection
from app.domain.event import EventFacts
from app.domain.reference import PartyFacts, RegimeFacts

SAMPLE_AUTHOR = Author("sample timeline")
_JSON_OBJECT = TypeAdapter(dict[str, Any])


@dataclass(frozen=True, slots=True)
class Loaded:
    """How much was new, and how many events the timeline holds."""

    parties: int
    regimes: int
    events: int
    of_events: int


def sample() -> Traversable:
    """Return the folder of the timeline that is shipped with the package."""
    return files("app") / "data" / "timeline"


async def load_timeline(connection: WriteConnection, folder: Traversable, author: Author) -> Loaded:
    """Load `parties.jsonl`, `regimes.jsonl` and `events.jsonl` from a folder."""
    parties = [PartyFacts.model_validate(row) for row in _rows(folder, "parties")]
    regimes = [RegimeFacts.model_validate(row) for row in _rows(folder, "regimes")]
    events = [
        NewEvent(row.pop("id"), EventFacts.model_validate(row)) for row in _rows(folder, "events")
    ]
    await add_territories(connection)
    return Loaded(
        parties=await add_parties(connection, parties, author),
        regimes=await add_regimes(connection, regimes, author),
        events=await record_unseen(connection, events, author),
        of_events=len(events),
    )


def _rows(folder: Traversable, name: str) -> Iterator[dict[str, Any]]:
    with (folder / f"{name}.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            yield _JSON_OBJECT.validate_json(line)
