"""Cursors on every list: whatever is sent as one is a cursor of that list or a 422."""

import base64
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.api.cursor import CursorCodec
from app.db import schema
from app.domain.keys import Scope
from app.main import create_app
from app.settings import Settings
from tests.support.client import client_of
from tests.support.database import cloned
from tests.support.keys import bearer, key_for
from tests.support.problems import problem_of

EVENT = "kz-taliban-delisting-2023"
DOCUMENT = create_app(Settings(database_url="postgresql://described.invalid/none")).openapi()
# The pages for people stand in no document.
PATHS = [
    *(
        path
        for path, operations in DOCUMENT["paths"].items()
        for parameter in operations.get("get", {}).get("parameters", ())
        if parameter["name"] == "cursor"
    ),
    "/timeline",
    "/positions",
]
QUERIES = {
    "/v1/events": ["", "sort=oldest", "sort=recently_updated", "sort=relevance&q=taliban"],
    "/v1/positions": ["actor=RU"],
    "/v1/positions/history": ["subject=taliban"],
    "/timeline": ["", "sort=relevance&q=taliban"],
    "/positions": ["actor=RU"],
}
ADDRESSES = [
    f"{path.replace('{id}', EVENT)}?{query}" for path in PATHS for query in QUERIES.get(path, [""])
]

SLUG = "kz-taliban-delisting-2023"
ODD = [
    "[]", "[1]", "{}", "null", "0", '"a"', "NaN", "[NaN]", "[Infinity]", '["abc"]', "[[[]]]",
    '[5,5,"x"]', "[null,null,null]", f'[0.1,0,0,"{SLUG}"]', f'[0,0,"{SLUG}"]',
    f'["2024-01-01","2024-01-01","{SLUG}","more"]', '["2024-01-01","2024-01-01"]',
    '["2024-01-01","2024-01-01","a\\u0000b"]', '["2024-01-01","2024-01-01","\\ud800"]',
    '["2024-13-01","2024-01-01","a"]', '["0000-01-01","9999-12-31","a"]',
    '["infinity","-infinity","a"]', '["0001-01-01T00:00:00+14:00","a"]',
    '["9999-12-31T23:59:59-14:00","a"]', '["2024-01-01T00:00:00","a"]',
    '[1e400,"2024-01-01","2024-01-01","a"]', '[3.5e38,"2024-01-01","2024-01-01","a"]',
    '[-1,"2024-01-01","2024-01-01","a"]', '["\\u0000"]', '["\\udfff"]', '["' + "a" * 300 + '"]',
    "[" * 300, "[99999999999999999999999]", "[2147483648]", "[0]", "[true]", '["1"]',
    '["RU","taliban","mood",""]', '["RU","taliban","mission",null]',
    '["RU\\u0000","taliban","mission",""]', "", "\xff",
]  # fmt: skip
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.dates().map(str)
    | st.datetimes().map(lambda instant: f"{instant.isoformat()}Z")
    | st.sampled_from([SLUG, "RU", "taliban", "designation", "", "\0", "\ud800"])
    | st.text(max_size=20)
)
JSON = st.lists(SCALARS, max_size=5) | st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner)
)
# As cursors are at most 1,000 characters long.
PAYLOADS = (JSON.map(lambda value: json.dumps(value).encode()) | st.binary()).map(
    lambda payload: payload[:700]
)


@pytest.fixture(scope="module")
def register_url(server_url: str, timeline_url: str) -> Iterator[str]:
    with cloned(server_url, timeline_url) as url:
        yield url


@pytest.fixture
async def reader(register_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client that may read every list, those of keys among them."""
    key = await key_for(register_url, Scope.ADMIN)
    async with client_of(register_url) as client:
        client.headers.update(bearer(key))
        yield client


async def question_of(client: httpx.AsyncClient, address: str) -> dict[str, Any]:
    """Return what a cursor of this address is bound to."""
    questions: list[dict[str, Any]] = []
    decode = CursorCodec.decode

    async def listen(self: Any, text: Any, question: Any, positions: Any) -> Any:
        questions.append(question)
        return await decode(self, text, question, positions)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CursorCodec, "decode", listen)
        assert (await client.get(f"{address}&cursor=x")).status_code == 422
    return questions[0]


async def sealed(client: httpx.AsyncClient, payload: bytes, question: dict[str, Any]) -> str:
    """Return a cursor under a valid seal that says whatever is given."""
    codec: CursorCodec = client._transport.app.state.cursors  # type: ignore[attr-defined]
    seal = await codec._seal(payload, question)
    return base64.urlsafe_b64encode(seal + payload).decode().rstrip("=")


async def check(client: httpx.AsyncClient, address: str, cursor: str) -> None:
    answer = await client.get(f"{address}&cursor={cursor}")
    assert answer.status_code in {200, 422}, (cursor, answer.text)
    if answer.status_code == 422 and answer.headers["content-type"] == "application/problem+json":
        (fault,) = answer.json()["errors"]
        assert (fault["field"], fault["code"]) == ("cursor", "invalid_cursor")


def test_every_list_is_tried() -> None:
    assert len(PATHS) >= 11, PATHS


@pytest.mark.parametrize("address", ADDRESSES)
async def test_nothing_under_a_valid_seal_is_a_fault_of_ours(
    reader: httpx.AsyncClient, address: str
) -> None:
    question = await question_of(reader, address)
    for odd in ODD:
        cursor = await sealed(reader, odd.encode("latin-1"), question)
        await check(reader, address, cursor)

    @settings(max_examples=60, suppress_health_check=list(HealthCheck))
    @given(PAYLOADS)
    def collect(payload: bytes) -> None:
        payloads.append(payload)

    payloads: list[bytes] = []
    collect()
    for payload in payloads:
        await check(reader, address, await sealed(reader, payload, question))


@pytest.mark.parametrize("address", ADDRESSES)
async def test_nothing_without_a_seal_is_a_cursor(reader: httpx.AsyncClient, address: str) -> None:
    unsealed = [base64.urlsafe_b64encode(odd.encode("latin-1")).decode() for odd in ODD if odd]
    for cursor in [*unsealed, "x", "%00", "%ED%A0%80", "a" * 999, "====", "é", "AAAA" * 30]:
        answer = await reader.get(f"{address}&cursor={cursor}")
        assert answer.status_code == 422


async def test_a_position_of_the_right_type_is_where_a_page_begins(
    reader: httpx.AsyncClient,
) -> None:
    address = "/v1/events?"
    question = await question_of(reader, address)
    payload = b'["2023-06-30","2023-06-30","z"]'
    page = (await reader.get(f"{address}&cursor={await sealed(reader, payload, question)}")).json()
    assert page["items"][0]["latest"] <= "2023-06-30"


async def test_a_refused_cursor_says_how_to_begin_again(reader: httpx.AsyncClient) -> None:
    # As the releases before made them, with a digest that needed no key.
    before = "Hc1ZfPMQSu-RWyIyMDI0LTEyLTIyIiwiMjAyNC0xMi0yMiIsImEiXQ"
    problem = problem_of(await reader.get(f"/v1/events?cursor={before}"), 422)
    assert "made by an earlier release" in problem["detail"]
    assert "leave cursor out to begin with the first page" in problem["detail"]


async def test_all_workers_have_the_same_key(register_url: str) -> None:
    async with client_of(register_url) as one, client_of(register_url) as other:
        following = (await one.get("/v1/territories?limit=1")).json()["next"]
        assert (await other.get(following)).json()["items"][0]["code"] > "A"
        assert (await one.get(following)).json() == (await other.get(following)).json()


async def test_another_register_has_another_key(register_url: str, unmigrated_url: str) -> None:
    await schema.migrate(unmigrated_url)
    async with client_of(register_url) as one, client_of(unmigrated_url) as other:
        following = (await one.get("/v1/territories?limit=1")).json()["next"]
        problem = problem_of(await other.get(following), 422)
        assert problem["errors"][0]["code"] == "invalid_cursor"


@pytest.mark.parametrize("address", [each for each in ADDRESSES if each.startswith("/v1")])
async def test_a_walk_by_cursors_ends(reader: httpx.AsyncClient, address: str) -> None:
    found: list[Any] = []
    following: str | None = f"{address}&limit=7"
    while following is not None:
        page = (await reader.get(following)).json()
        found += page["items"]
        following = page["next"]
    whole = (await reader.get(f"{address}&limit=200")).json()["items"]
    assert found[: len(whole)] == whole
