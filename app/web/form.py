"""A form as it was sent: what stands in its fields, and what can't be understood of it."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self
from urllib.parse import urlencode

from starlette.requests import Request

from app.api.parameters import QueryModel
from app.domain.errors import Fault
from app.domain.text import shown
from app.web.words import place

_A_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)

_MOST_GUESSES = 5
_WITHOUT_FIELD = ("limit", "cursor", "include", "embed")


class Remedy(NamedTuple):
    """What may be meant instead, and the address at which that is asked."""

    label: str
    address: str


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a question, filled in."""

    path: str
    model: type[QueryModel]
    sent: Sequence[tuple[str, str]]
    faults: Sequence[Fault] = ()

    @classmethod
    def of(cls, request: Request, model: type[QueryModel], faults: Sequence[Fault] = ()) -> Self:
        """Return the form that a request has filled in, blanks left out."""
        # A value that is given again changes nothing, and a page has links with all of them.
        sent = dict.fromkeys(request.query_params.multi_items())
        kept = [(name, value.strip()) for name, value in sent if value.strip()]
        return cls(request.url.path, model, kept, faults)

    def title(self, name: str) -> str:
        """Return what a field is called."""
        return self.model.parameters()[name].title or name

    def shows(self, name: str) -> bool:
        """Tell whether a parameter has a field; what only turns pages or frames them has none."""
        return name in self.model.parameters() and name not in _WITHOUT_FIELD

    def values(self, name: str) -> list[str]:
        """Return what a field holds."""
        return [value for sent, value in self.sent if sent == name]

    def value(self, name: str) -> str:
        """Return what a field holds that takes one value."""
        return next(iter(self.values(name)), "")

    def is_day(self, name: str) -> bool:
        """Tell whether a field for days can show what it holds, which it can't with a year."""
        return not self.value(name) or _A_DAY.fullmatch(self.value(name)) is not None

    def has_any(self, names: Collection[str]) -> bool:
        """Tell whether one of these fields is filled in or faulty."""
        faulty = {fault.field for fault in self.faults}
        return any(name in names for name, _ in self.sent) or not faulty.isdisjoint(names)

    def has_kind_of(self, family: str) -> bool:
        """Tell whether a single kind of a family is chosen."""
        return any(kind.startswith(f"{family}.") for kind in self.values("kind"))

    def faults_of(self, name: str) -> list[Fault]:
        """Return what is wrong with a field."""
        return [fault for fault in self.faults if fault.field == name]

    def without(self, *names: str) -> str:
        """Return the address of the same question without these parameters."""
        return self._address([(name, value) for name, value in self.sent if name not in names])

    def remedies(self, fault: Fault) -> Iterator[Remedy]:
        """Yield what may be meant where a fault is, each with its address."""
        is_unknown = fault.field not in self.model.parameters()
        if is_unknown:
            yield Remedy("Leave it out", self._address(self._renamed(fault.field, "")))
        # A whole list is no guess: the form itself shows it.
        for meant in fault.suggestions if len(fault.suggestions) <= _MOST_GUESSES else ():
            name, is_other, value = meant.partition("=")
            if is_unknown:
                yield Remedy(meant, self._address(self._renamed(fault.field, meant)))
            elif is_other:
                yield Remedy(value, self._address([*self._without_wrong(fault), (name, value)]))
            else:
                right = (fault.field, meant)
                label = place(meant) if fault.field == "country" else meant
                yield Remedy(label, self._address([*self._without_wrong(fault), right]))

    def query(self, *left_out: str) -> str:
        """Return the question as a query string, without what belongs to the page alone."""
        return urlencode([(name, value) for name, value in self.sent if name not in left_out])

    def _without_wrong(self, fault: Fault) -> list[tuple[str, str]]:
        values = self.values(fault.field)
        quoted = [value for value in values if f"“{shown(value)}”" in fault.message]
        wrong = (fault.field, (quoted or values or [""])[0])
        return [pair for pair in self.sent if pair != wrong]

    def _renamed(self, wrong: str, right: str) -> list[tuple[str, str]]:
        renamed = [(right if shown(name) == wrong else name, value) for name, value in self.sent]
        return [(name, value) for name, value in renamed if name]

    def _address(self, pairs: Sequence[tuple[str, str]]) -> str:
        # Another question begins with its first page.
        kept = [(name, value) for name, value in pairs if name != "cursor"]
        return f"{self.path}?{urlencode(kept)}" if kept else self.path


def without_blanks(request: Request, model: type[QueryModel]) -> str | None:
    """Return the address without the fields that a form sent blank, None where it sent none.

    The address is what people share, and a form sends all its fields.
    """
    sent = request.query_params.multi_items()
    known = model.parameters()
    # An unknown one is likely misspelt, and is to be told even if it is blank.
    kept = [(name, value) for name, value in sent if value.strip() or name not in known]
    return None if len(kept) == len(sent) else f"{request.url.path}?{urlencode(kept)}"
