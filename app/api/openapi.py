"""What the OpenAPI document says beyond the operations, and what is put right in it."""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from app.api.imprint import REGISTER, SOFTWARE
from app.api.known_at import KnownAtParameters
from app.api.parameters import Asking, PageModel, QueryModel
from app.api.problem_responses import problem_response
from app.api.problems import ProblemDocument
from app.api.statement import BODIES

DESCRIPTION = f"""
Who takes whom off a terror list, which embassy reopens, which bill is tabled: **each event with its
sources, its stage, and its dates as precisely as they are known.** Reading needs no key.

1. **Choose** an operation below; *Filter the timeline* is the one most people need.
2. **Fill in** what you look for; every field may stay empty. Choose an example or press *Write a
   value*; in a list, hold Ctrl (on a Mac Cmd) to pick several.
3. Press **Execute** and read the answer below it; the *Request URL* is a link you can share. To
   share a filled-in form, put the filter after /docs:
   [/docs?country=KZ&kind=designation.delist](/docs?country=KZ&kind=designation.delist).
4. To take the answer away, fill the same form in under *Downloads*: an Excel file, a table, a feed,
   a calendar, a timeline.

To **look rather than read JSON**, open the [timeline](/timeline): it takes the same filter.

To know **where somebody stood on a day**, open *Who stood where on a day* instead: who still listed
the Taliban at the end of 2024, what was pending, what was not yet confirmed.

Things to know before you quote an answer:

* `status` is how far a change has got, `verification` is how well it is attested. A tabled bill is
  `proposed`, and a suspended ban is not a lifted one.
* A date such as `2023-12~` means "December 2023, approximately": it is never made more precise than
  it is known.
* The register holds what has been recorded, not everything that has happened. No event found does
  not mean that nothing happened.
* *Territory* is whatever people filter by; the word takes no position on anybody's status.
* A write is seen everywhere within a tenth of a second. To wait for none of it, send the
  `Chancery-Change` that the write's answer carried along with your question.
* When more is asked than can be answered, a question is refused at once, with a 503 that says in
  `Retry-After` when to ask again.
* Found an error? Tell the people who run this service, with the event's id and a source.

{REGISTER} {SOFTWARE} Programmers find the whole description in [/openapi.json](/openapi.json).
"""
LICENSE = {"name": "MIT (the software); CC BY 4.0 (the register's own words)", "identifier": "MIT"}
TAGS: list[dict[str, Any]] = [
    {"name": "Timeline", "description": "Events and the dossiers they belong to."},
    {"name": "Positions", "description": "Who stood where towards whom, on any day."},
    {"name": "Downloads", "description": "Whole answers as files: for Excel, calendars, feeds."},
    {"name": "History", "description": "What changed when, and who changed it."},
    {
        "name": "Editing",
        "description": "For those who have a key. What fails doesn't count among its writes.",
    },
    {"name": "Reference", "description": "What the filters accept, and what the words mean."},
    {"name": "Keys", "description": "Who may edit; for those with an admin's key."},
    {"name": "Health", "description": "For those who run the service."},
]

_THEIR_422 = "HTTPValidationError"


def operation_id(route: APIRoute) -> str:
    """Return a readable id, which deep links and generated clients show."""
    return route.name


def complete(app: FastAPI, routers: Sequence[APIRouter]) -> None:
    """Let the document tell of all parameters, of the problems that are sent, and of no others."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = generate()
            _describe_parameters(document, routers)
            _describe_problems(document)
        return generate()

    app.openapi = openapi  # type: ignore[method-assign]


def _describe_parameters(document: dict[str, Any], routers: Sequence[APIRouter]) -> None:
    """Add what the routes read by themselves, as FastAPI describes it."""
    operations = {
        operation["operationId"]: operation
        for path in document["paths"].values()
        for operation in path.values()
    }
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    models = {route.name: [*_models(route.dependant)] for route in routes}
    theirs = _described(frozenset(each for found in models.values() for each in found))
    for name, found in models.items():
        for model in found:
            described_so = theirs["paths"][f"/{model.__name__}"]["get"]
            if "parameters" in described_so:
                listed = operations[name].setdefault("parameters", [])
                listed.extend(deepcopy(described_so["parameters"]))
    document["components"]["schemas"] |= deepcopy(theirs["components"]["schemas"])


@cache
def _described(models: frozenset[type[QueryModel]]) -> dict[str, Any]:
    """Return FastAPI's document of operations that would have it read these parameters."""
    app = FastAPI()
    for model in models:
        app.add_api_route(f"/{model.__name__}", _taking(model))
    return app.openapi()


def _models(dependant: Dependant) -> Iterator[type[QueryModel]]:
    """Yield the parameters that a route's dependencies read, however deep in each other."""
    for dependency in dependant.dependencies:
        if isinstance(dependency.call, Asking):
            yield dependency.call.model
        yield from _models(dependency)


def _taking(model: type[QueryModel]) -> Callable[..., None]:
    def take(query: Annotated[model, Query()]) -> None:  # type: ignore[valid-type]
        """Be described only."""

    return take


def _describe_problems(document: dict[str, Any]) -> None:
    schemas: dict[str, Any] = document["components"]["schemas"]
    # What routes read or send by themselves, FastAPI doesn't know of.
    named: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        (ProblemDocument, "serialization"),
        *((body, "validation") for body in BODIES),
    ]
    _, ours = models_json_schema(named, ref_template="#/components/schemas/{model}")
    schemas.update(ours["$defs"])
    # FastAPI describes a 422 of its own wherever there are parameters.
    for unused in (_THEIR_422, "ValidationError"):
        schemas.pop(unused, None)
    for path in document["paths"].values():
        for operation in path.values():
            operation.get("parameters", []).sort(key=_place_in_form)
            responses = operation["responses"]
            if _THEIR_422 in str(responses.get("422")):
                del responses["422"]
            responses.setdefault("default", problem_response("Any other problem."))


def _place_in_form(parameter: dict[str, Any]) -> int:
    """Return a sort key: what people ask, as known when, what turns pages, what programs send."""
    name = parameter["name"]
    if parameter["in"] == "header":
        return 3
    return 2 if name in PageModel.model_fields else name in KnownAtParameters.model_fields
