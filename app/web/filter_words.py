"""A question as it was understood, in words."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from app.api.parameters import QueryModel
from app.domain.dates_in_words import date_in_words
from app.web.words import moment, place, said

_PARTIES = ("party", "actor", "subject")
_DAYS = ("date_from", "date_to", "as_of")
_INSTANTS = ("updated_since", "known_at")
# Words that mean something only in a question, so that the vocabulary hasn't got them.
_ONLY_HERE = {
    ("date_field", "date"): "The event's own date",
    ("date_match", "overlaps"): "May have happened within these days",
    ("date_match", "within"): "Certainly happened within these days",
    ("knowledge", "recorded"): "What this register had recorded by then",
    ("knowledge", "announced"): "What the world had been told by then",
}
_LIST_OF = {"date_field": "date", "min_verification": "verification"}


class Said(NamedTuple):
    """A parameter of a question: its name, what it is called, and what it asks for."""

    name: str
    title: str
    values: list[str]


def filter_in_words(
    understood: Mapping[str, Any],
    model: type[QueryModel],
    parties: Mapping[str, str],
    regimes: Mapping[str, str],
) -> list[Said]:
    """Return what is asked, parameter by parameter.

    Args:
        understood: the filter with names resolved.
        model: the parameters, which say what they are called.
        parties: the names of the parties in it.
        regimes: the names of the regimes in it.

    """
    words: dict[str, Callable[[str], str]] = {
        **dict.fromkeys(_PARTIES, lambda id_: parties.get(id_, id_)),
        **dict.fromkeys(_DAYS, date_in_words),
        **dict.fromkeys(_INSTANTS, moment),
        "regime": lambda code: regimes.get(code, code),
        "country": place,
    }
    titles = {name: field.title or name for name, field in model.parameters().items()}
    return [
        Said(name, titles[name], [words.get(name, _word_of(name))(each) for each in _listed(value)])
        for name, value in understood.items()
    ]


def parties_in(understood: Mapping[str, Any]) -> set[str]:
    """Return the ids of the parties that a question names."""
    return {each for name in _PARTIES for each in understood.get(name, ())}


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [str(value)]


def _word_of(name: str) -> Callable[[str], str]:
    def word(code: str) -> str:
        if name == "kind" and "." not in code:
            return said(code, "family")
        return _ONLY_HERE.get((name, code)) or said(code, _LIST_OF.get(name, name))

    return word
