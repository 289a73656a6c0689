"""What the lists of reference data have in common: a search, a page, a key."""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

from fastapi import Path, Request, Response
from pydantic import BaseModel, Field, field_validator

from app.api import cursor
from app.api.pages import cursor_for, page
from app.api.parameters import PageModel, fault, parameter
from app.domain.names import fold
from app.domain.text import shown

Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """A page of reference data."""

    items: list[Item]
    next: str | None = Field(description="The address of the next page, null on the last.")


class ListParameters(PageModel):
    """The parameters of a list of reference data."""

    q: str | None = parameter(
        None,
        "Search",
        "A part of a name, alias, code or id, in any language the register has.",
        max_length=100,
        examples={"part of a name": "stan", "in Russian": "Казахстан"},
    )

    @field_validator("q")
    @classmethod
    def _searchable(cls, value: str | None) -> str | None:
        if value is not None and not fold(value):
            message = f"“{shown(value)}” holds no letter and no digit to search for."
            raise fault(message, code="nothing_to_search")
        return value


def key(name: str, example: str) -> Any:
    """Declare the last part of a path: the code or id of one item."""
    return Path(title=f"The {name}", description=f"Such as `{example}`.")


def question(of: str, parameters: PageModel) -> Mapping[str, Any]:
    """Return what a cursor of this list is bound to."""
    return {"of": of, **parameters.model_dump(mode="json", exclude={"limit", "cursor"})}


def after(text: str | None, bound: Mapping[str, Any]) -> str | None:
    """Return the key after which the page begins, or None at the beginning."""
    return None if text is None else cursor.decode(text, bound)[0]


def keyed_page(
    request: Request, of: str, parameters: PageModel, found: Sequence[tuple[str, str]]
) -> Response:
    """Return the page of items, given with their keys from where the page begins or before."""
    start = after(parameters.cursor, question(of, parameters))
    rest = [(key, item) for key, item in found if start is None or key > start]
    shown = rest[: parameters.limit]
    last = [shown[-1][0]] if len(rest) > len(shown) else None
    items = [item for _, item in shown]
    return page(request, items, cursor_for(last, question(of, parameters)))
