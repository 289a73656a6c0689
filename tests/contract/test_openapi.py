"""The OpenAPI document: complete, in words for people, and clean enough to make clients from."""

from typing import Any

import pytest

from app.api.filters import EventParameters
from app.domain.document import EventDocument
from app.main import create_app
from app.settings import Settings

# Everything that section 3 of the contract lets one ask of /v1/events in this release.
FILTERS = {
    "country", "party", "actor", "subject", "kind", "status", "verification", "direction",
    "regime", "measure", "date_from", "date_to", "date_field", "date_match", "updated_since",
    "sort", "limit", "cursor", "include",
}  # fmt: skip
PATHS = {
    "/v1/events", "/v1/events/{id}", "/v1/measures", "/v1/measures/{id}", "/v1/territories",
    "/v1/territories/{code}", "/v1/parties", "/v1/parties/{id}", "/v1/regimes",
    "/v1/regimes/{code}", "/v1/vocabulary", "/v1/vocabulary/{code}", "/livez", "/readyz",
}  # fmt: skip


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
    assert set(document["paths"]) == PATHS


def test_every_filter_of_the_contract_is_a_parameter(document: dict[str, Any]) -> None:
    listed = document["paths"]["/v1/events"]["get"]["parameters"]
    assert (
        {parameter["name"] for parameter in listed} == FILTERS == set(EventParameters.model_fields)
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
    for name in EventParameters.words:
        schema = listed[name].get("items", listed[name])
        reference = schema["$ref"].rpartition("/")[2]
        assert len(document["components"]["schemas"][reference]["enum"]) > 0


def test_examples_survive_where_they_are_needed(document: dict[str, Any]) -> None:
    listed = {p["name"]: p for p in document["paths"]["/v1/events"]["get"]["parameters"]}
    for name in (
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
        responses = methods["get"]["responses"]
        if "{" in path:
            assert "404" in responses
        for status, response in responses.items():
            if not status.startswith("2"):
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
