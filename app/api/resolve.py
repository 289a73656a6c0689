"""From what was typed to what is meant: names become codes and ids, or are refused.

A guess is never made. A name is matched exactly after folding; what is merely similar is only
suggested, and a name with several meanings is refused with the choices.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, TypeVar

from app.api.filters import FilterParameters
from app.api.parameters import QueryModel, meant
from app.db.connections import ReadConnection
from app.db.suggestions import add_suggestions
from app.domain import territories
from app.domain.document import instant
from app.domain.errors import Fault, NameKind, RefusedError, UnknownName
from app.domain.names import fold
from app.domain.search import parse
from app.domain.territories import Territory
from app.domain.text import shown
from app.domain.vocabulary import PartyKind
from app.queries import names
from app.queries.filter import DateField, DateMatch, EventFilter
from app.queries.names import Known, NamedParty
from app.queries.search import text_condition

Moment = TypeVar("Moment", date, datetime)

# More of them would help nobody, and each costs a search for what may have been meant.
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

    def refuse_unknown(self, parameter: str, kind: NameKind, message: str, text: str) -> None:
        """Note that a value is nobody's name; what may have been meant is looked for at the end."""
        unknown = UnknownName(kind, text)
        self.faults.append(Fault("query", parameter, f"unknown_{kind}", message, unknown=unknown))

    def each(self, texts: Iterable[str]) -> Iterator[str]:
        """Yield each of these values once, until as many were refused as anybody reads about."""
        for text in dict.fromkeys(texts):
            if len(self.faults) == MOST_REFUSED:
                return
            yield text

    async def check(self) -> None:
        """Make sure that everything was understood.

        Raises:
            RefusedError: what wasn't, with what may have been meant.

        """
        if self.faults:
            faults = await add_suggestions(self.connection, self.faults)
            raise RefusedError(*map(_with_question, faults))


def _with_question(fault: Fault) -> Fault:
    """Return a fault whose message ends with what may have been meant, if that was looked for."""
    if fault.unknown is None:
        return fault
    return replace(fault, message=fault.message + meant(fault.suggestions))


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
    understood["regime"] = regimes_named(under_way, parameters.regime)
    understood["measure"] = _words(under_way, NameKind.MEASURE, parameters.measure, found.measures)
    _check_range(under_way, parameters)
    await under_way.check()
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
    if blocs:
        organs = await names.parties_of(under_way.connection, blocs)
        message = f"“{shown(text)}” is a bloc, not a party: ask for country, or for an organ of it."
        choices = [*(f"country={code}" for code in blocs), *organs]
        under_way.refuse(parameter, "unknown_party", message, choices)
    else:
        message = f"“{shown(text)}” is no party that the register knows."
        under_way.refuse_unknown(parameter, NameKind.PARTY, message, text)


def regimes_named(under_way: Resolution, codes: Sequence[str]) -> list[str]:
    """Return the codes of the regimes that are asked for."""
    return _words(under_way, NameKind.REGIME, codes, under_way.found.regimes)


def _words(
    under_way: Resolution, kind: NameKind, texts: Sequence[str], known: Collection[str]
) -> list[str]:
    for text in under_way.each(text for text in texts if text not in known):
        message = f"There is no {kind} “{shown(text)}”; /v1/{kind}s lists them."
        under_way.refuse_unknown(kind, kind, message, text)
    return _once(texts)


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
