"""Bodies of writes: what is read, and what is refused before anything is made of it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.types import Message, Receive

from app.api.body import MAX_BYTES, MAX_DEPTH, json_body
from app.api.exchange import IN_SCOPE, Exchange
from app.api.uploads import UploadLimit
from app.domain.errors import (
    MAX_FAULTS,
    ChanceryError,
    MalformedBodyError,
    PayloadTooLargeError,
    RefusedError,
    UnsupportedMediaTypeError,
)
from app.domain.keys import Scope
from tests.support.client import client_of
from tests.support.keys import bearer, key_for
from tests.support.problems import problem_of

JSON = "application/json"
PATCH = "application/merge-patch+json"


def request(*chunks: bytes, **headers: str) -> Request:
    """Return a request whose body comes in these pieces."""
    sent = {"content_type": JSON} | headers
    messages: list[Message] = [
        {"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks
    ]
    messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> Message:
        return messages.pop(0)

    listed = [(name.replace("_", "-").encode(), v.encode()) for name, v in sent.items()]
    return from_editor(listed, receive)


def from_editor(headers: list[tuple[bytes, bytes]], receive: Receive) -> Request:
    """Return a request whose key was looked at."""

    async def send(_: Message) -> None:
        pass

    app = Starlette()
    app.state.upload_limit = UploadLimit()
    scope = {"type": "http", "method": "POST", "headers": headers, "app": app}
    return Request(scope | {IN_SCOPE: Exchange(scope, send)}, receive)


async def refusal(error: type[ChanceryError], *chunks: bytes, **headers: str) -> Any:
    with pytest.raises(error) as raised:
        await json_body(request(*chunks, **headers))
    return raised.value


@pytest.mark.parametrize(
    ("body", "read"),
    [
        (b"{}", {}),
        (b' {"a": [1, 2.5, -3e2, true, null]}\n', {"a": [1, 2.5, -300.0, True, None]}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        ('{"é": "Талибан\\t\\n"}'.encode(), {"é": "Талибан\t\n"}),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "\U0001f600"}),
        (b'{"a": {"b": 1}, "b": {"b": 1}}', {"a": {"b": 1}, "b": {"b": 1}}),
    ],
)
async def test_an_object_is_read(body: bytes, read: dict[str, Any]) -> None:
    assert await json_body(request(body)) == read
    assert await json_body(request(*(body[i : i + 1] for i in range(len(body))))) == read


@pytest.mark.parametrize("kind", [JSON, "Application/JSON", f"{JSON}; charset=utf-8", f"{JSON} ;x"])
async def test_json_is_taken_under_its_name(kind: str) -> None:
    assert await json_body(request(b"{}", content_type=kind)) == {}


@pytest.mark.parametrize("kind", ["", "text/plain", "text/json", PATCH, "application/jsonx", "*/*"])
async def test_another_media_type_is_refused(kind: str) -> None:
    error = await refusal(UnsupportedMediaTypeError, b"{}", content_type=kind)
    assert error.accepted == (JSON,)
    assert JSON in str(error)


async def test_a_route_may_take_more_media_types() -> None:
    for kind in (PATCH, JSON):
        assert await json_body(request(b"{}", content_type=kind), also=(PATCH,)) == {}
    with pytest.raises(UnsupportedMediaTypeError, match=f"{JSON} or {PATCH.replace('+', '.')}"):
        await json_body(request(b"{}", content_type="text/plain"), also=(PATCH,))


async def test_a_packed_body_is_refused() -> None:
    error = await refusal(UnsupportedMediaTypeError, b"{}", content_encoding="gzip")
    assert "uncompressed" in str(error)
    assert await json_body(request(b"{}", content_encoding="Identity")) == {}


async def test_a_body_may_have_a_mebibyte() -> None:
    frame = len(b'{"a":""}')
    most = b'{"a":"' + b"x" * (MAX_BYTES - frame) + b'"}'
    assert len((await json_body(request(most, content_length=str(len(most)))))["a"]) > 1_000_000
    await refusal(PayloadTooLargeError, most, b" ")
    # What is announced as too long isn't waited for.
    await refusal(PayloadTooLargeError, content_length=str(MAX_BYTES + 1))
    await refusal(PayloadTooLargeError, *[b" " * 1_000] * 1_100, content_length="2")


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b" ", b"{", b"{}}", b"{'a': 1}", b'{"a": 1,}', b'{"a": 01}', b"a=1", b"nul"),
        *(b'{"a": "\t"}', b'{"a": "\\x"}', b'{"a": "\n"}', b"// no\n{}", b'{"a": .5}'),
    ],
)
async def test_what_is_no_json_is_malformed(body: bytes) -> None:
    assert "line" in str(await refusal(MalformedBodyError, body))


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 5_000])
async def test_what_is_no_number_is_malformed(word: str) -> None:
    await refusal(MalformedBodyError, f'{{"a": {word}}}'.encode())


@pytest.mark.parametrize("body", [b'{"a": "\xff"}', b'{"\xc3": 1}', '{"a": "é"}'.encode("utf-16")])
async def test_what_is_not_utf_8_is_malformed(body: bytes) -> None:
    assert "UTF-8" in str(await refusal(MalformedBodyError, body))


async def test_a_member_given_twice_is_malformed() -> None:
    error = await refusal(MalformedBodyError, b'{"x": [{"title": 1, "b": 2, "title": 1}]}')
    assert "title" in str(error)
    long = "n" * 10_000
    error = await refusal(
        MalformedBodyError,
        json.dumps({long: 1})[:-1].encode() + b"," + json.dumps({long: 1})[1:].encode(),
    )
    assert len(str(error)) < 200
    error = await refusal(MalformedBodyError, b'{"\\ud800": 1, "\\ud800": 1}')
    str(error).encode()


async def test_a_body_is_no_deeper_than_it_needs_to_be() -> None:
    def nested(depth: int, opening: str, closing: str) -> bytes:
        return ('{"a":' + opening * (depth - 1) + "1" + closing * (depth - 1) + "}").encode()

    for opening, closing in (("[", "]"), ('{"a":', "}")):
        await json_body(request(nested(MAX_DEPTH, opening, closing)))
        for depth in (MAX_DEPTH + 1, 500, 100_000):
            error = await refusal(MalformedBodyError, nested(depth, opening, closing))
            assert str(MAX_DEPTH) in str(error)


@pytest.mark.parametrize("body", [b"[]", b'"{}"', b"null", b"1", b"true", b'[{"a": 1}]'])
async def test_what_is_no_object_is_refused(body: bytes) -> None:
    (fault,) = (await refusal(RefusedError, body)).faults
    assert (fault.location, fault.code) == ("body", "no_object")


@pytest.mark.parametrize(
    ("body", "places"),
    [
        (b'{"a": "x\\u0000"}', ["a"]),
        (b'{"a": {"b": ["fine", {"c": "\\ud800"}]}}', ["a.b.1.c"]),
        (b'{"a": "\\udc00\\ud800", "b": "\\uffff", "c": "\x7f"}', ["a", "b", "c"]),
        (b'{"a": {"x\\u0000": "y"}}', ["a.x\ufffd"]),
    ],
)
async def test_text_that_cannot_be_stored_is_named(body: bytes, places: list[str]) -> None:
    faults = (await refusal(RefusedError, body)).faults
    assert [fault.field for fault in faults] == places
    assert {(fault.location, fault.code) for fault in faults} == {("body", "unreadable_text")}
    assert all("U+" in fault.message for fault in faults)


async def test_a_small_body_makes_no_large_answer() -> None:
    body = b'{"a": [' + b",".join([b'"\\u0000"'] * 5_000) + b"]}"
    assert len((await refusal(RefusedError, body)).faults) == MAX_FAULTS
    name = b'{"' + b"n" * 100_000 + b'": "\\u0000"}'
    (fault,) = (await refusal(RefusedError, name)).faults
    assert len(fault.field) < 100


async def test_a_body_may_be_left_out_where_nothing_need_be_said() -> None:
    for empty in (request(content_length="0"), request(content_length="0", content_type="text/x")):
        assert await json_body(empty, may_be_empty=True) == {}
    said = request(b'{"note": "x"}', content_length="13")
    assert await json_body(said, may_be_empty=True) == {"note": "x"}
    chunked = request(b'{"note": "x"}', transfer_encoding="chunked")
    assert await json_body(chunked, may_be_empty=True) == {"note": "x"}


async def test_a_client_that_goes_away_is_no_fault_of_ours() -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    headers = [(b"content-type", JSON.encode())]
    gone = from_editor(headers, receive)
    with pytest.raises(MalformedBodyError):
        await json_body(gone)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@settings(max_examples=300)
async def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        assert isinstance(await json_body(request(body)), dict)
    except (MalformedBodyError, RefusedError) as error:
        str(error).encode()


JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(st.dictionaries(st.text(), JSON_VALUES, max_size=4))
async def test_what_is_accepted_can_be_written_again(body: dict[str, Any]) -> None:
    try:
        read = await json_body(request(json.dumps(body).encode()))
    except (MalformedBodyError, RefusedError):
        return
    assert json.loads(json.dumps(read, ensure_ascii=False, allow_nan=False).encode()) == body


@pytest.fixture
async def client(empty_url: str) -> AsyncIterator[httpx.AsyncClient]:
    key = await key_for(empty_url, Scope.ADMIN)
    async with client_of(empty_url) as client:
        client.headers.update(bearer(key))
        yield client


@pytest.mark.parametrize(
    ("status", "code", "sent"),
    [
        (400, "malformed-body", {"content": b'{"a": NaN}', "headers": {"Content-Type": JSON}}),
        (413, "body-too-large", {"json": {"name": "x" * MAX_BYTES}}),
        (415, "unsupported-media-type", {"content": b"{}"}),
        (415, "unsupported-media-type", {"data": {"name": "x"}}),
        (422, "invalid-request", {"json": {"name": "\x00"}}),
        (422, "invalid-request", {"json": ["a list"]}),
    ],
)
async def test_each_refusal_is_a_problem(
    client: httpx.AsyncClient, status: int, code: str, sent: dict[str, Any]
) -> None:
    response = await client.post("/v1/keys", **sent)
    assert problem_of(response, status)["code"] == code
    assert response.headers.get("accept") == (JSON if status == 415 else None)


async def test_a_body_in_chunks_is_counted(client: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 100_000

    headers = {"Content-Type": JSON}
    problem_of(await client.post("/v1/keys", content=chunks(), headers=headers), 413)
