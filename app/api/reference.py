"""What the lists of reference data have in common: a search, a page, a key."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Path, Request, Response
from pydantic import BaseModel, Field, TypeAdapter, field_validator

from app.api.cursor import CursorCodec
from app.api.pages import page
from app.api.parameters import PageModel, fault, parameter
from app.domain.names import fold
from app.domain.text import MAX_ID_LENGTH, shown

Item = TypeVar("Item")
# A position in a list of reference data is the key of an item: a code, a slug or a list's name.
_POSITION: TypeAdapter[tuple[str]] = TypeAdapter(
    tuple[Annotated[str, Field(max_length=MAX_ID_LENGTH, pattern="^[A-Za-z0-9_-]+$")]]
)


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


async def start_key(cursors: CursorCodec, of: str, parameters: PageModel) -> str | None:
    """Return the key after which the page begins, or None at the beginning.

    Raises:
        RefusedError: the cursor isn't one of this list.

    """
    bound = question(of, parameters)
    position = await cursors.decode(parameters.cursor, bound, _POSITION)
    return None if position is None else position[0]


async def keyed_page(
    request: Request,
    cursors: CursorCodec,
    of: str,
    parameters: PageModel,
    found: Sequence[tuple[str, str]],
) -> Response:
    """Return a page of items that are given with their keys, from the page's beginning or before.

    Raises:
        RefusedError: the cursor isn't one of this list.

    """
    start = await start_key(cursors, of, parameters)
    rest = [(key, item) for key, item in found if start is None or key > start]
    shown = rest[: parameters.limit]
    last = (shown[-1][0],) if len(rest) > len(shown) else None
    following = await cursors.encode(last, question(of, parameters))
    return page(request, [item for _, item in shown], following)
