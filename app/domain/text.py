"""The text that the register accepts: what PostgreSQL can store, JSON can carry and people read."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    BeforeValidator,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationInfo,
)
from pydantic import ValidationError as PydanticValidationError
from pydantic_core import PydanticCustomError

MAX_ID_LENGTH = 100
SHOWN_LENGTH = 60

RECORDED = {"recorded": True}
"""The context in which Pydantic validates what is in the register already.

A release may refuse what an earlier one has recorded. That stays readable, and can be retracted.
"""

# U+0000 can't be stored, lone surrogates can't be encoded (RFC 3629, section 3), and the other
# control characters are invisible and refused by XML formats; tab and line breaks are ordinary.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
# What has no look of its own, or turns the direction of the text around it.
_CONFUSING = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
# Letters and a symbol to Unicode, and nothing to the eye: Hangul fillers, the blank of Braille.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_SLUG = "[a-z0-9]+(?:-[a-z0-9]+)*"
_CODE = "[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*"
_NO_WEB_ADDRESS = "This is no web address: write one that begins with http:// or https://."
_HTTP_URL = TypeAdapter(AnyHttpUrl)
# Browsers read more than this as a web address; others, and people, read that differently.
_SCHEME_AND_HOST = re.compile(r"https?://([^/?#]+)", re.IGNORECASE)


def printable(text: str) -> str:
    """Return the text if it can be stored and shown, else raise ValueError naming the character."""
    found = _UNPRINTABLE.search(text)
    if found is not None:
        code_point = f"U+{ord(found.group()):04X}"
        raise ValueError(f"The text holds {code_point}, which can't be stored: leave it out.")
    return text


def shown(text: str) -> str:
    """Return the beginning of what was sent, as it can be repeated in a problem.

    It is short, and nothing of it makes what stands around it look like something else.
    """
    begun = text if len(text) <= SHOWN_LENGTH else text[:SHOWN_LENGTH] + "…"
    return _CONFUSING.sub("\ufffd", begun)


def place_of(path: Sequence[int | str]) -> str:
    """Return where something stands in a document, as in `participants.0.party`."""
    return ".".join(shown(str(part)) for part in path)


def not_blank(text: str) -> str:
    """Return the text if there is something to read in it, else raise ValueError.

    Spaces, marks without a letter and characters that only format, such as U+200B, show nothing by
    themselves.
    """
    if not any(_is_visible(character) for character in text):
        raise ValueError("The text says nothing: write something or leave the field out.")
    return text


def _is_visible(character: str) -> bool:
    category = unicodedata.category(character)
    # Private characters are shown by who has agreed on them, and as boxes elsewhere.
    return (category[0] in "LNPS" or category == "Co") and character not in _BLANK


def with_plain_line_breaks(text: str) -> str:
    """Return the text with the one sort of line break that every format takes."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def http_url(text: str) -> str:
    """Return the text unchanged if it is a web address, else raise ValueError.

    The address is kept as it was written: a normalised one might no longer be the page's own.
    """
    begun = _SCHEME_AND_HOST.match(text)
    try:
        _HTTP_URL.validate_python(text)
    except PydanticValidationError as error:
        raise ValueError(_NO_WEB_ADDRESS) from error
    if begun is None:
        raise ValueError(_NO_WEB_ADDRESS)
    if not {"@", "\\"}.isdisjoint(begun[1]):
        raise ValueError("A web address tells no name and no password: leave out what is before @.")
    if re.search(r"\s", text) or _CONFUSING.search(text):
        raise ValueError("A web address holds nothing unseen: write blanks as %20.")
    return text


def at_most(count: int) -> BeforeValidator:
    """Return a rule that refuses a longer list before its entries are looked at.

    Pydantic looks at all of them first: a body of 300,000 faulty ones took two seconds.
    """

    def check(entries: Any) -> Any:
        if isinstance(entries, list) and len(entries) > count:
            message = "There may be at most {max_length} entries, not {actual_length}."
            lengths = {"max_length": count, "actual_length": len(entries)}
            raise PydanticCustomError("too_long", message, lengths)
        return entries

    return BeforeValidator(check)


def _of_what_is_written(rule: Callable[[str], str]) -> AfterValidator:
    """Return a rule for what is written now, which what was recorded under another one passes."""

    def check(text: str, info: ValidationInfo) -> str:
        return text if info.context is RECORDED else rule(text)

    return AfterValidator(check)


_PRINTABLE = _of_what_is_written(printable)
_NOT_BLANK = _of_what_is_written(not_blank)

Line = Annotated[str, StringConstraints(max_length=500), _PRINTABLE, _NOT_BLANK]
"""A line of printable text, at most 500 characters."""

Quotation = Annotated[str, StringConstraints(max_length=2_000), _PRINTABLE, _NOT_BLANK]
"""A source's own words, at most 2,000 characters."""

Prose = Annotated[str, StringConstraints(max_length=20_000), _PRINTABLE]
"""Running text, at most 20,000 characters; it may be empty."""

WebAddress = Annotated[
    str,
    StringConstraints(max_length=2_048),
    _PRINTABLE,
    _of_what_is_written(http_url),
]
"""An http or https address, at most 2,048 characters, kept as written."""

Slug = Annotated[str, Field(max_length=MAX_ID_LENGTH, pattern=f"^{_SLUG}$")]
"""A permanent identifier: `[a-z0-9]` words joined by `-`, at most 100 characters."""

Code = Annotated[str, Field(max_length=MAX_ID_LENGTH, pattern=f"^{_CODE}$")]
"""A code in capitals: `KZ`, `CN-XZ`, `RU-UFL`."""

PartyId = Annotated[str, Field(max_length=MAX_ID_LENGTH, pattern=f"^(?:{_SLUG}|{_CODE})$")]
"""A territory's code or a slug."""
