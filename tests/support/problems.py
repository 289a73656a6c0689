"""What every problem must be, wherever it comes from."""

from typing import Any

import httpx

from app.api.problems import ProblemDocument

NEVER_SHOWN = ("Traceback", "sqlalchemy", "asyncpg", "SELECT ", "/app/", "postgresql://", 'File "')


def problem_of(response: httpx.Response, status: int) -> dict[str, Any]:
    """Return the problem that a response holds, after checking its form."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["access-control-allow-origin"] == "*"
    document: dict[str, Any] = response.json()
    ProblemDocument.model_validate(document)
    assert document["status"] == status
    assert document["type"] == f"urn:chancery:problem:{document['code']}"
    assert document["instance"] == f"urn:chancery:request:{response.headers['x-request-id']}"
    assert not [each for each in NEVER_SHOWN if each in response.text]
    return document
