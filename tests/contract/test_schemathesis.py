"""Schemathesis makes up requests from the OpenAPI document and sends them to a running service."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings

from app.domain.keys import Scope
from tests.support.conformance import CHECKS, EXAMPLES
from tests.support.database import cloned
from tests.support.keys import bearer, key_for
from tests.support.openapi import DOCUMENT
from tests.support.service import served

SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
# Its own keys would stand beside ours, and a request with two is refused.
SCHEMA.config.generation.update(with_security_parameters=False)
MANY = settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
FEW = settings(MANY, max_examples=5)


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
READING = SCHEMA.exclude(path="/v1/changes/stream")
MANAGING_KEYS = SCHEMA.include(path_regex="^/v1/keys")


def check_as_anybody(case: schemathesis.Case[Any], address: str) -> None:
    case.call_and_validate(base_url=address, checks=CHECKS)


def check_as_an_admin(case: schemathesis.Case[Any], address: str, key: dict[str, str]) -> None:
    answer = case.call_and_validate(base_url=address, headers=key, checks=CHECKS)
    assert answer.status_code not in {401, 403, 429}


@READING.parametrize()
@FEW
def test_a_few_requests_are_answered_as_the_document_says(
    case: schemathesis.Case[Any], service: str
) -> None:
    check_as_anybody(case, service)


@pytest.mark.slow
@READING.parametrize()
@MANY
def test_no_request_is_answered_against_the_document(
    case: schemathesis.Case[Any], service: str
) -> None:
    check_as_anybody(case, service)


@MANAGING_KEYS.parametrize()
@FEW
def test_a_few_requests_of_an_admin_are_answered_as_the_document_says(
    case: schemathesis.Case[Any], editable: tuple[str, dict[str, str]]
) -> None:
    check_as_an_admin(case, *editable)


@pytest.mark.slow
@MANAGING_KEYS.parametrize()
@MANY
def test_no_request_of_an_admin_is_answered_against_the_document(
    case: schemathesis.Case[Any], editable: tuple[str, dict[str, str]]
) -> None:
    check_as_an_admin(case, *editable)
