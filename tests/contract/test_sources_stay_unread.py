"""No request makes the service ask anybody for anything: a source's address is only ever told.

Whoever could make it ask could reach what only the service can reach (OWASP API7:2023).
"""

import json
import socket
from collections.abc import Iterator

import httpx
import pytest

from tests.support.attacked import Attacked
from tests.support.corpus.cases import EDIT
from tests.support.factories import SOURCE, facts

SEEN = {"If-Match": "*"}
READ = (
    *(f"/v1/events{form}" for form in ("", ".csv", ".xlsx", ".jsonl", ".atom", ".ics")),
    "/v1/events.timelinejs.json", "/v1/events/trap", "/v1/events/trap/revisions",
    "/v1/events/trap/revisions/1", "/v1/facets", "/v1/changes", "/v1/measures/trap",
    "/v1/positions?actor=KZ", "/v1/positions/history?actor=KZ", "/v1/positions.xlsx?actor=KZ",
    "/timeline", "/timeline?embed=1", "/events/trap", "/measures/trap", "/positions?actor=KZ",
)  # fmt: skip


@pytest.fixture
def trap() -> Iterator[socket.socket]:
    """A socket that listens, and that only who was given its address can know of."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        yield listener


def is_asked(trap: socket.socket) -> bool:
    """Tell whether anybody has connected."""
    try:
        connection, _ = trap.accept()
    except BlockingIOError:
        return False
    connection.close()
    return True


@pytest.fixture
def editor(attacked: Attacked) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {attacked.keys[EDIT]}"}
    with httpx.Client(base_url=attacked.address, headers=headers, timeout=60) as client:
        yield client


def test_nobody_asks_for_a_source(editor: httpx.Client, trap: socket.socket) -> None:
    address = f"http://127.0.0.1:{trap.getsockname()[1]}/page"
    named = {"url": address, "archived": address, "title": address, "publisher": address}
    told = facts(measure="trap", summary=address, place=address, sources=[SOURCE | named])
    lines = json.dumps({"id": "trap-line", **told})
    kind = {"Content-Type": "application/jsonl"}
    hearsay = dict.fromkeys(("Referer", "Origin", "From", "X-Forwarded-Host", "X-Url"), address)
    editor.headers.update(hearsay)

    for written in (
        editor.put("/v1/events/trap", json=told),
        editor.post("/v1/events", json=told),
        editor.patch("/v1/events/trap", json={"note": address, "place": None}, headers=SEEN),
        editor.post("/v1/imports", content=lines, headers=kind, params={"dry_run": "true"}),
        editor.post("/v1/imports", content=lines, headers=kind),
        editor.post("/v1/events/trap-line/retract", json={"reason": address}, headers=SEEN),
        editor.post("/v1/events/trap-line/restore", json={"note": address}, headers=SEEN),
        editor.post("/v1/events/trap-line/merge", json={"into": "trap"}, headers=SEEN),
        editor.put("/v1/parties/trap", json={"name": address, "kind": "group"}),
        editor.put("/v1/regimes/TRAP", json={"name": "Trap", "issuer": "KZ", "removal": address}),
    ):
        assert written.status_code < 300, written.text
    for path in READ:
        assert editor.get(path).status_code == 200, path
    for path in ("/v1/events", "/timeline"):
        editor.get(path, params={"q": address})
        assert editor.get(path, params={"country": address}).status_code == 422

    assert not is_asked(trap)
    with socket.create_connection(trap.getsockname()):
        assert is_asked(trap)
