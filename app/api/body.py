"""The body of a write: JSON (RFC 8259), read by the route after the key was looked at.

What readers of JSON disagree on is refused rather than guessed, as I-JSON demands (RFC 7493,
section 2): members given twice, numbers that are none, text that can't be stored.
"""

import asyncio
import json
import math
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import IO, Any, NoReturn

from starlette.requests import Request

from app.api.uploads import MEMORY_BYTES, uploaded
from app.domain.errors import (
    MAX_FAULTS,
    Fault,
    MalformedBodyError,
    RefusedError,
    UnsupportedMediaTypeError,
)
from app.domain.text import printable, shown

JSON = "application/json"
MAX_BYTES = 1_048_576
MAX_DEPTH = 20
# An event with all that it may have holds 1,200.
MAX_VALUES = 10_000
# The longest texts that an event may have hardly hold so many commas and brackets; to parse 500,000
# takes a third of a second, most of it in the garbage collector.
MAX_MARKS = 100_000


async def json_body(
    request: Request, also: tuple[str, ...] = (), *, may_be_empty: bool = False
) -> dict[str, Any]:
    """Return the JSON object that a request holds, in one of these media types beside JSON's own.

    Where the body may be empty, nothing at all means an object without members.

    Raises:
        UnsupportedMediaTypeError: it is something else, or compressed.
        PayloadTooLargeError: it has more than 1 MiB.
        TooManyUploadsError: the key sends too much at once.
        MalformedBodyError: it is no JSON, or JSON that can be read in more than one way.
        RefusedError: it is no object, or holds text that can't be stored.

    """
    if may_be_empty and _is_empty(request):
        return {}
    media_type(request, (JSON, *also))
    async with uploaded(request, MAX_BYTES) as (file, size):
        # A large body takes tens of milliseconds, in which nobody else would be answered.
        return await asyncio.to_thread(parse, file) if size > MEMORY_BYTES else parse(file)


def parse(file: IO[bytes]) -> dict[str, Any]:
    """Return the JSON object in a file.

    Raises:
        MalformedBodyError: it is no JSON, or JSON that can be read in more than one way.
        RefusedError: it is no object, or holds text that can't be stored.

    """
    text = file.read()
    if sum(map(text.count, (b",", b"[", b"{"))) > MAX_MARKS:
        raise _too_many_values()
    body = _parsed(text)
    if not isinstance(body, dict):
        message = "The body is no JSON object: put what you send in { and }."
        raise RefusedError(Fault("body", "", "no_object", message))
    _check_shape(body)
    faults = tuple(islice(_unreadable("", body), MAX_FAULTS))
    if faults:
        raise RefusedError(*faults)
    return body


def _is_empty(request: Request) -> bool:
    """Tell whether there is no body, which the headers alone say (RFC 9112, section 6.3)."""
    length = request.headers.get("content-length", "0")
    return length == "0" and "transfer-encoding" not in request.headers


def media_type(request: Request, accepted: tuple[str, ...]) -> str:
    """Return which of these media types the body has.

    Its parameters mean nothing here: text is UTF-8 (RFC 8259, sections 8.1 and 11).

    Raises:
        UnsupportedMediaTypeError: it is something else, of two sorts at once, or compressed.

    """
    named = request.headers.getlist("content-type")
    kind = ", ".join(each.partition(";")[0].strip().lower() for each in named)
    if kind not in accepted:
        raise UnsupportedMediaTypeError(accepted)
    packed = request.headers.getlist("content-encoding")
    if any(each.strip().lower() != "identity" for each in packed):
        raise UnsupportedMediaTypeError(accepted, "Send the body uncompressed.")
    return kind


def _parsed(body: bytes) -> Any:
    try:
        # Some editors begin a file with a byte order mark, which may be ignored (RFC 8259, 8.1).
        return json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_each_once,
            parse_constant=_no_number,
            parse_float=_finite,
        )
    except UnicodeDecodeError as error:
        raise MalformedBodyError(f"The body is not UTF-8: see byte {error.start}.") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise MalformedBodyError(f"The body is no JSON: see {place}.") from error
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        # Python reads no whole number of more than some thousand digits.
        raise MalformedBodyError("The body holds a number that is too long.") from error


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise MalformedBodyError(f"The body gives {shown(twice)} twice in one object.")
    return members


def _no_number(word: str) -> NoReturn:
    raise MalformedBodyError(f"The body holds {word}, which is no JSON.")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise MalformedBodyError("The body holds a number that is too large.")
    return number


def _check_shape(body: dict[str, Any]) -> None:
    """Refuse what is nested too deep, or holds so many values that to check them takes seconds."""
    level: list[Any] = [body]
    count = 0
    for _ in range(MAX_DEPTH):
        inner = (
            each
            for value in level
            if isinstance(value, dict | list)
            for each in (value.values() if isinstance(value, dict) else value)
        )
        level = list(islice(inner, MAX_VALUES + 1))
        count += len(level)
        if count > MAX_VALUES:
            raise _too_many_values(max(body, key=lambda name: _length(body[name])))
    if any(isinstance(value, dict | list) for value in level):
        raise _too_deep()


def _length(value: Any) -> int:
    return len(value) if isinstance(value, dict | list) else 0


def _too_many_values(largest: str = "") -> RefusedError:
    message = f"The body holds more than {MAX_VALUES:,} values: send less at once."
    return RefusedError(Fault("body", shown(largest), "too_many_values", message))


def _too_deep() -> MalformedBodyError:
    return MalformedBodyError(f"The body is nested more than {MAX_DEPTH} deep.")


def _unreadable(place: str, value: Any) -> Iterator[Fault]:
    """Find text that can't be stored, in names and values, to the depth that was checked before."""
    if isinstance(value, str):
        yield from _fault_in(place, value)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _unreadable(f"{place}.{index}" if place else str(index), each)
    elif isinstance(value, dict):
        for name, each in value.items():
            inner = f"{place}.{shown(name)}" if place else shown(name)
            yield from _fault_in(inner, name)
            yield from _unreadable(inner, each)


def _fault_in(place: str, text: str) -> Iterator[Fault]:
    try:
        printable(text)
    except ValueError as error:
        yield Fault("body", place, "unreadable_text", str(error))
