"""Query parameters: one way to declare, document and refuse them.

A parameter that doesn't exist, a value outside a closed list and a single parameter given twice
are refused with what may have been meant. A blank one, as HTML forms send it, is dropped.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from itertools import chain, islice
from typing import Annotated, Any, ClassVar, TypeVar, get_origin

from fastapi import Depends, Query, Request
from pydantic import (
    BaseModel,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from app.api import cursor
from app.api.problems import fault_of
from app.api.query_string import parse_query
from app.domain.errors import MAX_FAULTS, Fault, RefusedError
from app.domain.text import shown

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
# Different values of one parameter. Whoever needs more asks twice.
MAX_VALUES = 200
# What the descriptions of parameters that take several values end with.
SEVERAL = f"With several, at most {MAX_VALUES}, any of them is enough."
PICK = "Hold Ctrl (on a Mac Cmd) to pick several."

Parameters = TypeVar("Parameters", bound="QueryModel")


def drop_null(schema: dict[str, Any]) -> None:
    """Leave `null` out of an optional parameter's schema: a query string can't say it."""
    rest = [each for each in schema.get("anyOf", []) if each.get("type") != "null"]
    if len(rest) == 1:
        del schema["anyOf"]
        schema.update(rest[0])


def parameter(default: Any, title: str, description: str, **options: Any) -> Any:
    """Declare a parameter; `examples` maps labels to values.

    The first example is an empty one, because Swagger UI fills in and sends the first.
    """
    examples = options.pop("examples", None)
    if examples:
        nothing: Any = [] if isinstance(default, list) else ""
        options["openapi_examples"] = {"none": {"summary": "(no filter)", "value": nothing}} | {
            label: {"summary": label, "value": value} for label, value in examples.items()
        }
    return Query(
        default, title=title, description=description, json_schema_extra=drop_null, **options
    )


def meant(suggestions: Iterable[str]) -> str:
    """Return the question after what may have been meant, or nothing."""
    listed = ", ".join(suggestions)
    return f" Did you mean {listed}?" if listed else ""


def fault(message: str, suggestions: Iterable[str] = (), code: str = "unknown_value") -> Exception:
    """Return the error that a validator raises for a value that can't be used."""
    return PydanticCustomError(
        code, "{message}", {"message": message, "suggestions": list(suggestions)}
    )


def whole_number(value: Any, least: int, greatest: int) -> int:
    """Return the number that a parameter names, or raise a fault that says the range."""
    text = str(value)
    if not re.fullmatch("[0-9]{1,19}", text, re.ASCII) or not least <= int(text) <= greatest:
        raise fault(f"Write a whole number from {least} to {greatest}.", code="out_of_range")
    return int(text)


class QueryModel(BaseModel):
    """Base of an operation's parameters."""

    # Unknown parameters are let through here and refused in `asked`, with suggestions.
    model_config = ConfigDict(extra="allow", frozen=True)

    words: ClassVar[Mapping[str, type[StrEnum]]] = {}
    """The parameters that take words of a closed list, with the list."""

    elsewhere: ClassVar[Mapping[str, str]] = {}
    """Parameters of like operations that this one hasn't, with the reason."""

    @classmethod
    @cache
    def parameters(cls) -> dict[str, FieldInfo]:
        """Return the fields by what they are called in a query; `from` is no name in Python."""
        return {field.alias or name: field for name, field in cls.model_fields.items()}

    @classmethod
    @cache
    def several(cls) -> frozenset[str]:
        """Return the names of those that take several values."""
        fields = cls.parameters().items()
        return frozenset(name for name, field in fields if get_origin(field.annotation) is list)

    @model_validator(mode="before")
    @classmethod
    def _drop_blanks(cls, values: Any) -> Any:
        kept = {name: _without_blanks(value) for name, value in values.items()}
        # An unknown parameter is kept even if it is blank: it is likely a misspelt one.
        known = {*cls.parameters(), *cls.elsewhere}
        return {n: v for n, v in kept.items() if v or n not in known}

    @field_validator("*", mode="before")
    @classmethod
    def _few_known_values(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, list) and len(value) > MAX_VALUES:
            message = f"Give at most {MAX_VALUES} different values, not {len(value):,}."
            raise fault(f"{info.field_name}: {message}", code="too_many_values")
        words = cls.words.get(info.field_name or "")
        if words is not None and not isinstance(value, StrEnum):
            for word in value if isinstance(value, list) else [value]:
                _refuse_unknown_word(word, words)
        return value


def _without_blanks(value: Any) -> Any:
    if isinstance(value, list):
        return [each for each in dict.fromkeys(value) if each.strip()]
    return value.strip() if isinstance(value, str) else value


def _refuse_unknown_word(word: str, words: type[StrEnum]) -> None:
    known = [each.value for each in words]
    if word not in known:
        close = get_close_matches(word.lower(), known, n=3, cutoff=0.5)
        among = meant(close) or f" Write one of: {', '.join(known)}."
        raise fault(f"“{shown(word)}” is not in this list.{among}", close or known)


class PageModel(QueryModel):
    """The parameters of everything that comes in pages."""

    limit: int = parameter(
        DEFAULT_LIMIT,
        "How many on a page",
        f"A whole number from 1 to {MAX_LIMIT}; follow `next` for the rest.",
        ge=1,
        le=MAX_LIMIT,
    )
    cursor: str | None = parameter(
        None,
        "Where to go on",
        "Taken from `next` of the page before; nothing to be written by hand.",
    )

    @field_validator("limit", mode="before")
    @classmethod
    def _whole_number(cls, value: Any) -> Any:
        return whole_number(value, 1, MAX_LIMIT)

    @field_validator("cursor")
    @classmethod
    def _possible_cursor(cls, value: str | None) -> str | None:
        if value is not None and len(value) > cursor.MAX_LENGTH:
            raise fault(cursor.HOW_TO_GO_ON, code="invalid_cursor")
        return value


class Asking:
    """The dependency that reads an operation's parameters.

    FastAPI would read them as well, field by field, which takes as long as it takes to ask the
    database; so it is told of none. `app.api.openapi` has it describe them.
    """

    def __init__(self, model: type[QueryModel]) -> None:
        """Read the parameters of this model."""
        self.model = model

    async def __call__(self, request: Request) -> QueryModel:
        """Return what a request asks."""
        return read(self.model, request)


def asked(model: type[QueryModel]) -> Any:
    """Return what a route's parameter is annotated with, to be given what is asked."""
    return Depends(Asking(model))


def read(model: type[Parameters], request: Request) -> Parameters:
    """Return an operation's parameters.

    Raises:
        RefusedError: every fault, with the parameter it is in.

    """
    sent, several = parse_query(request.scope), model.several()
    values = {name: sent.getlist(name) if name in several else sent[name] for name in sent}
    try:
        query = model.model_validate(values)
    except ValidationError as error:
        found = error.errors(include_url=False)
        named = [fault_of({**each, "loc": ("query", *each["loc"])}) for each in found]
        raise RefusedError(*named) from error
    return _checked(request, query)


def _checked(request: Request, query: Parameters) -> Parameters:
    faults = chain(_unknown_parameters(query), _repeated(request, query))
    if listed := tuple(islice(faults, MAX_FAULTS)):
        raise RefusedError(*listed)
    return query


class _NoParameters(QueryModel):
    """The parameters of an operation that has none."""


Unasked = Annotated[_NoParameters, asked(_NoParameters)]
"""What an operation without parameters takes, so that one that is sent is refused."""


def _unknown_parameters(query: QueryModel) -> Iterator[Fault]:
    known = list(query.parameters())
    for name in query.model_extra or {}:
        close = get_close_matches(name.lower(), known, n=3)
        reason = query.elsewhere.get(name) or meant(close).strip()
        message = f"There is no parameter “{shown(name)}” here. {reason}".rstrip()
        yield Fault("query", shown(name), "unknown_parameter", message, tuple(close or known))


def _repeated(request: Request, query: QueryModel) -> Iterator[Fault]:
    sent = parse_query(request.scope)
    if len(sent.multi_items()) > len(sent):
        for name in query.parameters().keys() - query.several():
            if len(sent.getlist(name)) > 1:
                yield Fault("query", name, "repeated", f"{name} can be given only once.")
