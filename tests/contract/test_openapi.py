"""The OpenAPI document: complete, in words for people, and clean enough to make clients from."""

from typing import Any

import pytest

from app.api.filters import EventPageParameters
from app.api.formats.event_columns import EVENT_COLUMNS
from app.domain.document import EventDocument
from app.main import create_app
from app.settings import Settings

# Everything that section 3 of the contract lets one ask of /v1/events in this release.
FILTERS = {
    "country", "party", "actor", "subject", "kind", "status", "verification", "direction",
    "regime", "measure", "date_from", "date_to", "date_field", "date_match", "updated_since",
    "sort", "limit", "cursor", "include", "known_at", "knowledge", "q",
}  # fmt: skip
OPERATIONS = {
    "/v1/events": {"get", "post"},
    "/v1/columns": {"get"},
    "/v1/events.csv": {"get"},
    "/v1/events.xlsx": {"get"},
    "/v1/events.atom": {"get"},
    "/v1/events.ics": {"get"},
    "/v1/events.timelinejs.json": {"get"},
    "/v1/events.jsonl": {"get"},
    "/v1/facets": {"get"},
    "/v1/events/{id}": {"get", "put", "patch"},
    "/v1/events/{id}/retract": {"post"},
    "/v1/events/{id}/restore": {"post"},
    "/v1/events/{id}/merge": {"post"},
    "/v1/events/{id}/revisions": {"get"},
    "/v1/events/{id}/revisions/{revision}": {"get"},
    "/v1/changes": {"get"},
    "/v1/changes/stream": {"get"},
    "/v1/imports": {"post"},
    "/v1/imports/template.csv": {"get"},
    "/v1/positions": {"get"},
    "/v1/positions.csv": {"get"},
    "/v1/positions.xlsx": {"get"},
    "/v1/positions.jsonl": {"get"},
    "/v1/positions/history": {"get"},
    "/v1/measures": {"get"},
    "/v1/measures/{id}": {"get"},
    "/v1/territories": {"get"},
    "/v1/territories/{code}": {"get"},
    "/v1/parties": {"get"},
    "/v1/parties/{id}": {"get", "put"},
    "/v1/regimes": {"get"},
    "/v1/regimes/{code}": {"get", "put"},
    "/v1/vocabulary": {"get"},
    "/v1/vocabulary/{code}": {"get"},
    "/v1/keys": {"get", "post"},
    "/v1/keys/{id}": {"get", "delete"},
    "/livez": {"get"},
    "/readyz": {"get"},
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    app = create_app(Settings(database_url="postgresql://described.invalid/none"))
    return app.openapi()


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for path in document["paths"].values() for operation in path.values()]


def parameters(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [p for operation in operations(document) for p in operation.get("parameters", [])]


def test_it_lists_what_exists(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert {path: set(methods) for path, methods in document["paths"].items()} == OPERATIONS


def test_whatever_writes_names_the_scope_that_its_key_needs(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        scope = "admin" if path.startswith("/v1/keys") else "edit"
        for method, operation in methods.items():
            guarded = scope == "admin" or method != "get"
            assert operation.get("security") == ([{"key": [scope]}] if guarded else None)
            assert ({"401", "403", "429"} <= set(operation["responses"])) == guarded


def test_whatever_takes_a_body_describes_it(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in {"post", "put", "patch"}:
                content = operation["requestBody"]["content"]
                # Many events come as lines or as a table.
                assert ("application/json" in content) == (path != "/v1/imports")
                assert all(each["schema"] for each in content.values())
                assert {"400", "413", "415", "422"} <= set(operation["responses"])
            else:
                assert "requestBody" not in operation


def test_the_headers_of_a_write_are_parameters(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            named = {p["name"]: p for p in operation.get("parameters", []) if p["in"] == "header"}
            assert ("If-Match" in named) == ("412" in operation["responses"]), path
            if "If-Match" in named:
                # What PUT doesn't find it makes.
                assert named["If-Match"]["required"] == (method != "put")
            assert ("If-None-Match" in named) == ((method, path) == ("put", "/v1/events/{id}"))
            assert ("Idempotency-Key" in named) == ((method, path) == ("post", "/v1/events"))


def test_every_filter_of_the_contract_is_a_parameter(document: dict[str, Any]) -> None:
    listed = document["paths"]["/v1/events"]["get"]["parameters"]
    assert (
        {parameter["name"] for parameter in listed}
        == FILTERS
        == set(EventPageParameters.model_fields)
    )


def test_everything_is_described(document: dict[str, Any]) -> None:
    for operation in operations(document):
        assert operation["summary"]
        assert operation["description"]
        assert operation["operationId"].isidentifier()
    for parameter in parameters(document):
        assert len(parameter["description"]) > 15 or parameter["in"] == "path", parameter["name"]


def test_operation_ids_are_unique(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for operation in operations(document)]
    assert len(ids) == len(set(ids))


def test_no_parameter_offers_null_and_none_is_filled_in_by_an_example(
    document: dict[str, Any],
) -> None:
    for parameter in parameters(document):
        assert "anyOf" not in parameter["schema"], parameter["name"]
        assert "null" not in str(parameter["schema"])
        if "examples" in parameter and parameter["in"] == "query":
            assert next(iter(parameter["examples"].values()))["value"] in ("", [])
            assert len(parameter["examples"]) > 1


def test_closed_lists_are_drop_downs(document: dict[str, Any]) -> None:
    listed = {p["name"]: p["schema"] for p in document["paths"]["/v1/events"]["get"]["parameters"]}
    for name in EventPageParameters.words:
        schema = listed[name].get("items", listed[name])
        reference = schema["$ref"].rpartition("/")[2]
        assert len(document["components"]["schemas"][reference]["enum"]) > 0


def test_examples_survive_where_they_are_needed(document: dict[str, Any]) -> None:
    listed = {p["name"]: p for p in document["paths"]["/v1/events"]["get"]["parameters"]}
    for name in (
        "q",
        "country",
        "party",
        "actor",
        "subject",
        "regime",
        "measure",
        "date_from",
        "date_to",
    ):
        assert listed[name]["examples"], name


def test_every_operation_says_what_it_refuses_with(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            # What PUT doesn't find it makes.
            if "{" in path and method != "put":
                assert "404" in operation["responses"]
            for status, response in operation["responses"].items():
                # What was retracted is answered with what is left of it, which is no problem.
                if status[0] not in "23" and (method, status) != ("get", "410"):
                    assert list(response["content"]) == ["application/problem+json"]
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_answers_are_described_with_open_words(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert set(schemas["EventDocument"]["properties"]) == set(EventDocument.model_fields)
    assert schemas["EventDocument"]["properties"]["status"]["type"] == "string"
    assert "enum" not in schemas["EventDocument"]["properties"]["status"]


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [each for part in value.values() for each in references(part)]
        return (
            [each for part in value for each in references(part)] if isinstance(value, list) else []
        )

    for reference in references(document):
        assert reference.rpartition("/")[2] in document["components"]["schemas"]


def test_every_column_of_a_table_is_explained(document: dict[str, Any]) -> None:
    answer = document["paths"]["/v1/events.csv"]["get"]["responses"]["200"]
    for column in EVENT_COLUMNS:
        assert len(column.description) > 10
        assert (
            f"| `{column.name}` | {column.shape} | {column.description} |" in answer["description"]
        )
