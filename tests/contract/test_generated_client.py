"""A client made from the OpenAPI document by somebody else's generator calls the live service."""

import importlib
import json
import subprocess
import sys
from typing import Any

import httpx
import pytest

CONFIGURATION = """
package_name_override: register_client
project_name_override: register-client
post_hooks: []
# The generator knows no such bodies; they are files, which it sends as they are.
content_type_overrides:
  application/jsonl: application/octet-stream
  application/x-ndjson: application/octet-stream
  text/csv: application/octet-stream
  application/atom+xml: application/octet-stream
  application/vnd.openxmlformats-officedocument.spreadsheetml.sheet: application/octet-stream
  text/calendar: application/octet-stream
"""


@pytest.fixture(scope="module")
def generated(service: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("client")
    document = httpx.get(f"{service}/openapi.json").json()
    (folder / "openapi.json").write_text(json.dumps(document), encoding="utf-8")
    (folder / "config.yml").write_text(CONFIGURATION, encoding="utf-8")
    made = subprocess.run(
        [
            *(sys.executable, "-m", "openapi_python_client", "generate"),
            *("--path", "openapi.json", "--config", "config.yml", "--meta", "none"),
            *("--output-path", "register_client", "--fail-on-warning"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    sys.path.insert(0, str(folder))
    yield importlib.import_module("register_client")
    sys.path.remove(str(folder))


def test_it_filters_the_timeline(generated: Any, service: str) -> None:
    operation = importlib.import_module("register_client.api.timeline.list_events")
    words = importlib.import_module("register_client.models")
    kinds = [words.KindOrFamily.DESIGNATION_DELIST]
    with generated.Client(base_url=service) as client:
        page = operation.sync(client=client, country=["Kazakhstan"], kind=kinds)
    (event,) = page.items
    assert event.id == "kz-taliban-delisting-2023"
    assert event.date == "2023-12~"
    assert [participant.name for participant in event.participants] == ["Kazakhstan", "Taliban"]
    assert all(source.quote for source in event.sources)


def test_it_reads_one_event(generated: Any, service: str) -> None:
    operation = importlib.import_module("register_client.api.timeline.read_event")
    with generated.Client(base_url=service) as client:
        found = operation.sync("kz-taliban-delisting-2023", client=client)
    assert found.title.startswith("Kazakhstan removes")
