"""The closed vocabularies, with what each word means."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from app.api.conditional import answer
from app.api.cursor import Cursors
from app.api.parameters import Unasked, asked
from app.api.problem_responses import documented
from app.api.reference import ListParameters, Page, key, keyed_page
from app.domain.errors import NotFoundError
from app.domain.labels import WordList, word_lists
from app.domain.names import fold
from app.domain.vocabulary import DIRECTION_OF_KIND

router = APIRouter(prefix="/v1", tags=["Reference"])


class WordDocument(BaseModel):
    """One word of a list."""

    code: str = Field(examples=["designation.delist"])
    name: str = Field(examples=["Taken off the list"])
    direction: str | None = Field(
        default=None, description="Kinds only: the direction that follows.", examples=["easing"]
    )


class VocabularyDocument(BaseModel):
    """A closed list of words."""

    code: str = Field(examples=["kind"])
    name: str = Field(examples=["What happens"])
    aliases: list[str] = []
    words: list[WordDocument]


def _json(code: str, words: WordList) -> str:
    listed = [
        WordDocument(code=word, name=name, direction=DIRECTION_OF_KIND.get(word))
        for word, name in words.words.items()
    ]
    document = VocabularyDocument(code=code, name=words.title, words=listed)
    return document.model_dump_json(exclude_none=True)


def _texts(code: str, words: WordList) -> Iterator[str]:
    yield from (code, words.title, *words.words, *words.words.values())


@router.get(
    "/vocabulary",
    summary="Kinds, statuses and other closed lists",
    response_class=Response,
    responses={200: {"model": Page[VocabularyDocument]}, **documented(422, 503)},
)
async def list_vocabulary(
    request: Request,
    parameters: Annotated[ListParameters, asked(ListParameters)],
    cursors: Cursors,
) -> Response:
    """What the closed lists hold and what each word means, in plain language."""
    wanted = fold(parameters.q or "")
    found = [
        (code, _json(code, words))
        for code, words in sorted(word_lists().items())
        if any(wanted in fold(text) for text in _texts(code, words))
    ]
    return await keyed_page(request, cursors, "vocabulary", parameters, found)


@router.get(
    "/vocabulary/{code}",
    summary="One closed list",
    response_class=Response,
    responses={200: {"model": VocabularyDocument}, **documented(404, 422, 503)},
)
async def read_vocabulary(
    request: Request, code: Annotated[str, key("code", "status")], _: Unasked
) -> Response:
    """One closed list, every word with what it means."""
    words = word_lists().get(code)
    if words is None:
        raise NotFoundError("There is no such list. /v1/vocabulary shows those that exist.")
    return answer(request, _json(code, words))
