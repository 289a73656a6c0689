"""OpenTelemetry: nothing unless it is configured, and no secret where it is."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from app.domain.keys import new_key
from app.main import create_app
from app.settings import Settings
from tests.support.keys import bearer
from tests.support.service import ROOT, clean_environment, served

NOWHERE = "postgresql://nobody@127.0.0.1:1/none"
WHAT_IS_LOADED = f"""
import asyncio, sys
from app.main import create_app
from app.settings import Settings

messages = iter(["lifespan.startup", "lifespan.shutdown"])

async def receive():
    return {{"type": next(messages)}}

async def send(message):
    print(message["type"])

asyncio.run(create_app(Settings(database_url={NOWHERE!r}))({{"type": "lifespan"}}, receive, send))
print(*(name for name in sys.modules if name.startswith("opentelemetry.")))
"""


class Collector:
    """What an OpenTelemetry collector was sent, by path."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.sent: list[tuple[str, bytes]] = []

    def spans(self) -> list[Span]:
        """Return all spans."""
        requests = [ExportTraceServiceRequest.FromString(b) for p, b in self.sent if "traces" in p]
        scopes = [s for r in requests for each in r.resource_spans for s in each.scope_spans]
        return [span for scope in scopes for span in scope.spans]

    def metrics(self) -> set[str]:
        """Return the names of all metrics."""
        sent = [ExportMetricsServiceRequest.FromString(b) for p, b in self.sent if "metrics" in p]
        scopes = [s for r in sent for each in r.resource_metrics for s in each.scope_metrics]
        return {metric.name for scope in scopes for metric in scope.metrics}


@contextmanager
def collecting() -> Iterator[tuple[str, Collector]]:
    """Run a collector at this address."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.sent.append((self.path, body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}", collector
        server.shutdown()


def attributes(span: Span) -> dict[str, Any]:
    return {each.key: each.value.string_value for each in span.attributes}


def test_spans_and_metrics_go_where_the_environment_says(timeline_url: str) -> None:
    key = new_key()[0]
    path = "/v1/events/kz-taliban-delisting-2023"
    with collecting() as (endpoint, collector):
        environment = {
            "CHANCERY_DATABASE_URL": timeline_url,
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
        }
        with served(environment) as address, httpx.Client(base_url=address) as client:
            answers = [client.get(path) for _ in range(3)]
            client.get(f"/v1/events/{key}", params={"key": key}, headers=bearer(key))
    spans = {attributes(span).get("chancery.request"): span for span in collector.spans()}
    for answered in answers:
        span = spans[answered.headers["x-request-id"]]
        assert span.name == "GET /v1/events/{id}"
        assert attributes(span)["url.path"] == path
    assert "REDACTED" in {attributes(span).get("url.query") for span in spans.values()}
    assert "http.server.request.duration" in collector.metrics()
    assert not [path for path, body in collector.sent if key.split("_")[2].encode() in body]


def test_nothing_of_it_is_even_loaded_where_nothing_is_configured() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WHAT_IS_LOADED],
        cwd=ROOT,
        env={name: v for name, v in clean_environment().items() if not name.startswith("OTEL_")},
        capture_output=True,
        text=True,
        check=True,
    )
    said = done.stdout.splitlines()
    assert said[:2] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    loaded = said[2].split()
    assert "opentelemetry.trace" in loaded
    assert not [name for name in loaded if name.split(".")[1] in {"sdk", "exporter"}]


def test_where_the_extra_is_not_installed_the_service_starts_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    exporter = "opentelemetry.exporter.otlp.proto.http"
    for part in ("_log_exporter", "metric_exporter", "trace_exporter"):
        monkeypatch.setitem(sys.modules, f"{exporter}.{part}", None)
    said: list[str] = []

    async def begin_and_end() -> None:
        messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

        async def receive() -> Any:
            return next(messages)

        async def send(message: Any) -> None:
            said.append(message["type"])

        await create_app(Settings(database_url=NOWHERE))({"type": "lifespan"}, receive, send)

    asyncio.run(begin_and_end())
    assert said == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert "requires fastapi[opentelemetry]" in caplog.text
