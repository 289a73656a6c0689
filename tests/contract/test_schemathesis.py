"""Schemathesis makes up requests from the OpenAPI document and sends them to a running service."""

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.domain.keys import Scope
from app.main import create_app
from app.settings import Settings
from tests.support.database import cloned
from tests.support.keys import bearer, key_for
from tests.support.service import served

DOCUMENT = create_app(Settings(database_url="postgresql://described.invalid/none")).openapi()
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
# Its own keys would stand beside ours, and a request with two is refused.
SCHEMA.config.generation.update(with_security_parameters=False)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# To each operation; more than 60 take longer than a test run may.
EXAMPLES = int(os.environ.get("CHANCERY_TEST_EXAMPLES", "60"))
MANY = settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@schemathesis.serializer("application/jsonl", "application/x-ndjson", "text/csv")
def as_it_is(_: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode(errors="surrogatepass")


@pytest.fixture(scope="module")
def editable(server_url: str, migrated_template: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The address of a service that may be written to, and the header with its admin's key."""
    with cloned(server_url, migrated_template) as url:
        key = asyncio.run(key_for(url, Scope.ADMIN))
        with served({"CHANCERY_DATABASE_URL": url}) as address:
            yield address, bearer(key)


# The stream of changes has no end to wait for.
@SCHEMA.exclude(path="/v1/changes/stream").parametrize()
@MANY
def test_no_request_is_answered_against_the_document(
    case: schemathesis.Case[Any], service: str
) -> None:
    case.call_and_validate(base_url=service, checks=CHECKS)


@SCHEMA.include(path_regex="^/v1/keys").parametrize()
@MANY
def test_no_request_of_an_admin_is_answered_against_the_document(
    case: schemathesis.Case[Any], editable: tuple[str, dict[str, str]]
) -> None:
    address, key = editable
    answer = case.call_and_validate(base_url=address, headers=key, checks=CHECKS)
    assert answer.status_code not in {401, 403, 429}
