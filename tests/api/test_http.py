"""HTTP itself: tags, compression, HEAD, OPTIONS, other origins, headers, faults of our own."""

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from app.api.examples import EVENT
from app.api.layers.envelope import Envelope
from app.api.layers.observer import Observer
from app.api.metrics.tally import Tally
from tests.support.client import client_of
from tests.support.problems import problem_of

PATHS = [
    "/v1/events?country=RU",
    f"/v1/events/{EVENT['id']}",
    "/v1/territories",
    "/v1/territories/KZ",
    "/v1/parties",
    "/v1/parties/taliban",
    "/v1/regimes",
    "/v1/regimes/RU-UFL",
    "/v1/measures",
    "/v1/measures/ru-ufl-taliban",
    "/v1/vocabulary",
    "/v1/vocabulary/status",
    "/v1/columns",
]


@pytest.mark.parametrize("path", PATHS)
async def test_what_is_known_already_is_not_sent_again(
    client: httpx.AsyncClient, path: str
) -> None:
    first = await client.get(path)
    tag = first.headers["etag"]
    assert tag.startswith('"')
    assert first.headers["cache-control"] == "public, no-cache"
    assert "Accept-Encoding" in first.headers["vary"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await client.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
        assert again.headers["cache-control"] == first.headers["cache-control"]
    changed = await client.get(path, headers={"If-None-Match": '"other"'})
    assert changed.status_code == 200


async def test_the_tag_of_a_compressed_answer_is_as_good(client: httpx.AsyncClient) -> None:
    plain = await client.get(PATHS[0], headers={"Accept-Encoding": "identity"})
    packed = await client.get(PATHS[0], headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 2
    assert packed.headers["etag"] == plain.headers["etag"]
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


async def test_different_questions_have_different_tags(client: httpx.AsyncClient) -> None:
    tags = {(await client.get(path)).headers["etag"] for path in PATHS}
    assert len(tags) == len(PATHS)


@pytest.mark.parametrize("path", [*PATHS, "/livez", "/readyz", "/v1/nothing", "/openapi.json"])
async def test_head_is_get_without_the_body(client: httpx.AsyncClient, path: str) -> None:
    # Else each request would have an id of its own.
    client.headers["X-Request-Id"] = "same"
    got, head = await client.get(path), await client.head(path)
    assert head.status_code == got.status_code
    assert head.content == b""
    assert dict(head.headers) == dict(got.headers)


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/events?country=RU", "GET, HEAD, OPTIONS, POST"),
        (f"/v1/events/{EVENT['id']}", "GET, HEAD, OPTIONS, PATCH, PUT"),
        (f"/v1/events/{EVENT['id']}/retract", "OPTIONS, POST"),
        ("/v1/parties/taliban", "GET, HEAD, OPTIONS, PUT"),
        ("/v1/measures", "GET, HEAD, OPTIONS"),
        ("/livez", "GET, HEAD, OPTIONS"),
        ("/static/pages.css", "GET, HEAD, OPTIONS"),
    ],
)
async def test_options_tells_the_methods(
    client: httpx.AsyncClient, path: str, methods: str
) -> None:
    response = await client.options(path)
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["allow"] == methods


async def test_a_browser_on_any_page_may_read(client: httpx.AsyncClient) -> None:
    origin = {"Origin": "https://newsroom.example"}
    preflight = await client.options(
        PATHS[0],
        headers=origin
        | {
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "If-None-Match",
        },
    )
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "GET" in preflight.headers["access-control-allow-methods"]
    assert "If-None-Match" in preflight.headers["access-control-allow-headers"]
    response = await client.get(PATHS[0], headers=origin)
    assert response.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in response.headers
    assert "Link" in response.headers["access-control-expose-headers"]


async def test_options_for_nothing_is_a_404(client: httpx.AsyncClient) -> None:
    problem_of(await client.options("/v1/nothing"), 404)


async def test_every_answer_carries_the_safety_headers(client: httpx.AsyncClient) -> None:
    for path in (*PATHS, "/v1/nothing", "/v1/events?x=1"):
        headers = (await client.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["content-security-policy"].startswith("default-src 'none'")


async def test_a_problem_is_never_stored(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/nothing")).headers["cache-control"] == "no-store"


async def test_a_fault_of_ours_is_a_problem_that_tells_nothing(
    timeline_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise RuntimeError("the secret password is swordfish")

    monkeypatch.setattr("app.api.routes.events.event_document", fails)
    async with client_of(timeline_url) as client:
        response = await client.get("/v1/events/anything")
    assert problem_of(response, 500)["code"] == "internal-error"
    assert "swordfish" not in response.text


async def test_a_fault_after_the_answer_began_reaches_no_server() -> None:
    async def begins_and_fails(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b""}
    scope["headers"] = [(b"host", b"register.example")]
    await Observer(Envelope(begins_and_fails), Tally())(scope, receive, send)
    # The body has no end, so the server cuts the connection and the client sees that it is cut.
    assert [message["type"] for message in sent] == ["http.response.start"]
