"""What the values of facets are called: territories, parties and regimes have names."""

from collections.abc import Mapping

from app.db.connections import ReadConnection
from app.domain.territories import territories
from app.queries.facets import OF_PARTIES, Counts, Facet
from app.queries.knowledge import Knowledge
from app.queries.names import names_then, regime_names_then

Labels = Mapping[str, str]
_NOT_WITHIN_ONE = {Facet.YEAR: "Not within one year", Facet.MONTH: "Not within one month"}


async def labels(
    connection: ReadConnection, counted: Mapping[Facet, Counts], knowledge: Knowledge
) -> Mapping[Facet, Labels]:
    """Return what each value is called; one without a name of its own is called as it is."""
    parties = {
        value or "" for facet, counts in counted.items() if facet in OF_PARTIES for value in counts
    }
    of_parties = await names_then(connection, parties, knowledge)
    regimes = await regime_names_then(connection, knowledge) if Facet.REGIME in counted else {}
    return {facet: _labels_of(facet, of_parties, regimes) for facet in counted}


def label_of(facet: Facet, value: str | None, labels: Labels) -> str:
    """Return what a value is called."""
    if value is None:
        return _NOT_WITHIN_ONE[facet]
    return labels.get(value, value)


def _labels_of(facet: Facet, parties: Labels, regimes: Labels) -> Labels:
    if facet is Facet.COUNTRY:
        return {code: territory.name for code, territory in territories().items()}
    if facet in OF_PARTIES:
        return parties
    return regimes if facet is Facet.REGIME else {}
