"""From what was typed to what is meant: names become codes and ids, or are refused.

A guess is never made. A name is matched exactly after folding; what is merely similar is only
suggested, and a name with several meanings is refused with the choices.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any, TypeVar

from app.api.filters import FilterParameters
from app.api.parameters import QueryModel, meant
from app.db.connections import ReadConnection
from app.domain import territories
from app.domain.document import instant
from app.domain.errors import Fault, RefusedError
from app.domain.names import closest, fold, nearest
from app.domain.search import parse
from app.domain.territories import Territory
from app.domain.text import shown
from app.domain.vocabulary import PartyKind
from app.queries import names
from app.queries.filter import DateField, DateMatch, EventFilter
from app.queries.names import Known, NamedParty
from app.queries.search import text_condition

Moment = TypeVar("Moment", date, datetime)

# What may have been meant is looked for among all names there are, which takes its time.
MOST_REFUSED = 10
PARTY_PARAMETERS = ("party", "actor", "subject")


@dataclass(slots=True)
class Resolution:
    """The filter under way: what was understood, and what was not."""

    connection: ReadConnection
    found: Known
    faults: list[Fault] = field(default_factory=list)

    def refuse(
        self,
        parameter: str,
        code: str,
        message: str,
        choices: Sequence[str] = (),
        called: Iterable[str] = (),
    ) -> None:
        """Note that a value can't be used: what to write instead, and what that is called."""
        asked = message + meant(called or choices)
        self.faults.append(Fault("query", parameter, code, asked, tuple(choices)))

    def each(self, texts: Iterable[str]) -> Iterator[str]:
        """Yield each of these values once, until as many were refused as anybody reads about."""
        for text in dict.fromkeys(texts):
            if len(self.faults) == MOST_REFUSED:
                return
            yield text


async def resolve(
    connection: ReadConnection, parameters: FilterParameters
) -> tuple[EventFilter, dict[str, Any]]:
    """Return the filter to be asked, and the same as it is shown to the client.

    Raises:
        RefusedError: a name is unknown or ambiguous, or the range ends before it begins.

    """
    knowledge = parameters.known()
    found = await names.known(
        connection, knowledge, _folded(parameters), parameters.regime, parameters.measure
    )
    under_way = Resolution(connection, found)
    understood: dict[str, list[str]] = {
        "country": await _countries(under_way, parameters.country),
    }
    for name in PARTY_PARAMETERS:
        understood[name] = await parties_named(under_way, name, getattr(parameters, name))
    understood["regime"] = await regimes_named(under_way, parameters.regime)
    understood["measure"] = await _measures(under_way, parameters.measure)
    _check_range(under_way, parameters)
    if under_way.faults:
        raise RefusedError(*under_way.faults)
    wanted = _filter(parameters, understood)
    if parameters.q is not None:
        text = await text_condition(connection, parse(parameters.q), knowledge)
        wanted = replace(wanted, text=text)
    return wanted, shown_filter(parameters, understood)


def _folded(parameters: FilterParameters) -> set[str]:
    """Return the names to look up: those of parties, and those that are no territory's."""
    unplaced = [text for text in parameters.country if not territories.match(text)]
    parties = [text for name in PARTY_PARAMETERS for text in getattr(parameters, name)]
    return {fold(text) for text in [*unplaced, *parties]}


async def _countries(under_way: Resolution, texts: Sequence[str]) -> list[str]:
    codes = []
    for text in under_way.each(texts):
        matches = territories.match(text)
        governments = {
            party.country
            for party in under_way.found.parties.get(fold(text), [])
            if party.kind == PartyKind.GOVERNMENT and party.country
        }
        if len(matches) == 1:
            codes.append(matches[0].code)
        elif matches:
            codes_meant = [match.code for match in matches]
            message = f"“{shown(text)}” has several meanings."
            under_way.refuse("country", "ambiguous", message, codes_meant, _called(matches))
        elif len(governments) == 1:
            codes.extend(governments)
        else:
            _refuse_country(under_way, text)
    return _once(codes)


def _refuse_country(under_way: Resolution, text: str) -> None:
    parties = under_way.found.parties.get(fold(text), [])
    if parties:
        message = f"“{shown(text)}” is a party, not a country."
        choices = [f"party={party.id}" for party in parties]
        under_way.refuse("country", "unknown_country", message, choices)
    else:
        message = f"“{shown(text)}” is no country or bloc that the register knows."
        near = territories.suggest(text)
        names_meant = [each.name for each in near]
        under_way.refuse("country", "unknown_country", message, names_meant, _called(near))


def _called(several: Iterable[Territory]) -> list[str]:
    return [f"{each.name} ({each.code})" for each in several]


async def parties_named(under_way: Resolution, parameter: str, texts: Sequence[str]) -> list[str]:
    """Return the ids of the parties that a parameter's values name."""
    ids = []
    for text in under_way.each(texts):
        candidates = _candidates(under_way.found.parties.get(fold(text), []), text)
        if len(candidates) == 1:
            ids.append(candidates[0])
        elif candidates:
            message = f"“{shown(text)}” has several meanings."
            under_way.refuse(parameter, "ambiguous", message, candidates)
        else:
            await _refuse_party(under_way, parameter, text)
    return _once(ids)


def _candidates(named: Iterable[NamedParty], text: str) -> list[str]:
    """Return the ids that a text stands for: an id itself before any name."""
    ids = {party.id for party in named if not _is_code_in_disguise(party.id, text)}
    if text in ids:
        return [text]
    places = {match.code for match in territories.match(text) if match.kind != "bloc"}
    return sorted(ids | places)


def _is_code_in_disguise(id_: str, text: str) -> bool:
    """Tell whether only folding makes a code of the text: as a country, `{"$gt"}` is nobody."""
    return fold(id_) == fold(text) and id_.isupper() and id_ != text.strip().upper()


async def _refuse_party(under_way: Resolution, parameter: str, text: str) -> None:
    blocs = [match.code for match in territories.match(text) if match.kind == "bloc"]
    organs = await names.parties_of(under_way.connection, blocs) if blocs else []
    if blocs:
        message = f"“{shown(text)}” is a bloc, not a party: ask for country, or for an organ of it."
    else:
        message = f"“{shown(text)}” is no party that the register knows."
    choices = [*(f"country={code}" for code in blocs), *organs]
    similar = choices or await _similar_parties(under_way, text)
    under_way.refuse(parameter, "unknown_party", message, similar)


async def _similar_parties(under_way: Resolution, text: str) -> list[str]:
    party_of = dict(await names.party_names(under_way.connection))
    places = [match.code for match in territories.suggest(text, 2) if match.kind != "bloc"]
    return _once([*(party_of[name] for name in nearest(fold(text), party_of, 3)), *places])


async def regimes_named(under_way: Resolution, codes: Sequence[str]) -> list[str]:
    """Return the codes of the regimes that are asked for."""
    unknown = [code for code in codes if code not in under_way.found.regimes]
    if unknown:
        _refuse_words(under_way, "regime", unknown, await names.regime_codes(under_way.connection))
    return _once(codes)


async def _measures(under_way: Resolution, ids: Sequence[str]) -> list[str]:
    unknown = [each for each in ids if each not in under_way.found.measures]
    if unknown:
        known = await names.measure_ids(under_way.connection)
        _refuse_words(under_way, "measure", unknown, known)
    return _once(ids)


def _refuse_words(
    under_way: Resolution, parameter: str, unknown: Iterable[str], known: Sequence[str]
) -> None:
    for text in under_way.each(unknown):
        like = closest(text, known, 3)
        choices = like or get_close_matches(text.upper(), known, n=3, cutoff=0.4)
        message = f"There is no {parameter} “{shown(text)}”; /v1/{parameter}s lists them."
        under_way.refuse(parameter, f"unknown_{parameter}", message, choices)


def _check_range(under_way: Resolution, parameters: FilterParameters) -> None:
    first, last = parameters.date_from, parameters.date_to
    if first and last and last < first:
        message = f"The range ends ({last}) before it begins ({first}): exchange the two."
        under_way.refuse("date_to", "empty_range", message)


def _filter(parameters: FilterParameters, understood: dict[str, list[str]]) -> EventFilter:
    return EventFilter(
        countries=tuple(_once(_expanded(understood["country"]))),
        parties=tuple(understood["party"]),
        actors=tuple(understood["actor"]),
        subjects=tuple(understood["subject"]),
        kinds=tuple(parameters.kind),
        statuses=tuple(parameters.status),
        verifications=tuple(parameters.verification),
        directions=tuple(parameters.direction),
        regimes=tuple(understood["regime"]),
        measures=tuple(understood["measure"]),
        date_from=_as(date, parameters.date_from),
        date_to=_as(date, parameters.date_to),
        date_field=parameters.date_field or DateField.DATE,
        date_match=parameters.date_match or DateMatch.OVERLAPS,
        updated_since=_as(datetime, parameters.updated_since),
    )


def _as(kind: type[Moment], text: str | None) -> Moment | None:
    return None if text is None else kind.fromisoformat(text)


def _expanded(codes: Iterable[str]) -> Iterator[str]:
    return (member for code in codes for member in territories.expand(code))


def shown_filter(parameters: QueryModel, understood: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return what was asked, in the order of the parameters, with names resolved."""
    given = parameters.model_dump(
        mode="json",
        exclude={"limit", "cursor", "include", "sort", "by"},
        exclude_defaults=True,
        by_alias=True,
    )
    resolved = {name: understood.get(name, value) for name, value in given.items()}
    for name in ("updated_since", "known_at"):
        if name in resolved:
            resolved[name] = instant(datetime.fromisoformat(resolved[name]))
    return {name: _once(v) if isinstance(v, list) else v for name, v in resolved.items()}


def _once(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))
