"""Time-outs for tests on a busy machine: long, unless a test is about the product's own."""

from collections.abc import Iterator

import pytest
from httpx._config import DEFAULT_TIMEOUT_CONFIG

from app.api.layers import admission
from app.db import engine, notifications, ping

# A deadlock or a lock that is never released shall fail long before the test's own time-out.
SECONDS = 60
# By module and constant: the time-outs that a busy machine alone can run into. The server's are in
# milliseconds; ours are longer than the server's, as they are in the product.
TIMEOUTS = {
    (engine, "STATEMENT_TIMEOUT_MS"): SECONDS * 1_000,
    (engine, "WRITE_STATEMENT_TIMEOUT_MS"): SECONDS * 1_000,
    (engine, "LOCK_TIMEOUT_MS"): SECONDS * 1_000,
    (engine, "EDIT_STATEMENT_TIMEOUT_MS"): SECONDS * 1_000 + 500,
    (engine, "EDIT_IDLE_TIMEOUT_MS"): SECONDS * 1_000,
    (engine, "IDLE_TIMEOUT_MS"): SECONDS * 1_000,
    (engine, "COMMAND_TIMEOUT_S"): SECONDS + 1,
    (engine, "EDIT_COMMAND_TIMEOUT_S"): SECONDS + 1,
    (engine, "GLANCE_TIMEOUT_S"): SECONDS,
    (engine, "CONNECT_TIMEOUT_S"): SECONDS,
    (engine, "POOL_WAIT_S"): SECONDS,
    (engine, "EDIT_WAIT_S"): SECONDS,
    (ping, "PING_TIMEOUT_S"): SECONDS,
    (notifications, "PROBE_TIMEOUT_S"): SECONDS,
    (admission, "WAIT_S"): SECONDS,
    (admission, "LINE_S"): SECONDS,
}
SHIPPED = {(module, name): getattr(module, name) for module, name in TIMEOUTS}


@pytest.fixture(scope="session", autouse=True)
def _patience() -> Iterator[None]:
    """Have applications, pools and clients in the tests' own process wait as long as they need."""
    with pytest.MonkeyPatch.context() as patch:
        for (module, name), value in TIMEOUTS.items():
            patch.setattr(module, name, value)
        # By itself a client gives up after five seconds.
        for name in ("connect", "read", "write", "pool"):
            patch.setattr(DEFAULT_TIMEOUT_CONFIG, name, SECONDS)
        yield


@pytest.fixture
def shipped_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The product's own time-outs, for tests of what they end."""
    for (module, name), value in SHIPPED.items():
        monkeypatch.setattr(module, name, value)
