"""What the forms offer to choose from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from app.db.connections import ReadConnection
from app.domain.territories import territories
from app.domain.vocabulary import DIRECTION_OF_KIND, FAMILIES, family_of
from app.queries.choices import offered_choices


@dataclass(frozen=True, slots=True)
class Offers:
    """Names to be written and codes to be ticked."""

    places: Sequence[str]
    parties: Sequence[str]
    regimes: Mapping[str, str]
    kinds: Mapping[str, Sequence[str]]


async def offers(connection: ReadConnection) -> Offers:
    """Return what there is to choose from."""
    parties, regimes = await offered_choices(connection)
    return Offers(_places(), parties, regimes, _kinds())


@cache
def _places() -> Sequence[str]:
    return sorted(each.name for each in territories().values())


@cache
def _kinds() -> Mapping[str, Sequence[str]]:
    return {
        family: [kind for kind in DIRECTION_OF_KIND if family_of(kind) == family]
        for family in FAMILIES
    }
