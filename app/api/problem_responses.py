"""How OpenAPI describes answers that are problems."""

from typing import Any

from app.api.problems import MEDIA_TYPE


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what FastAPI needs to describe these problems in an operation's answers."""
    titles = {
        400: "The body can't be read, or is no JSON.",
        401: "A key is missing, or it is not valid.",
        403: "The key lacks the scope.",
        404: "There is nothing of that name.",
        409: "This doesn't go with the present state of the event, or it was merged.",
        410: "The event was retracted: `current` is what is left to show of it.",
        412: "Somebody else was faster: `current` is what is there now.",
        413: "The body is too large.",
        415: "The body is of another media type than the ones listed.",
        422: "A parameter can't be understood: the problem names it and suggests the right one.",
        428: "`If-Match` is missing.",
        429: "Too many failed attempts from this address, more writes in a minute than a key may "
        "make, or too much uploaded with it at once: `Retry-After` says how long to wait.",
        503: "More is asked than can be answered, or the database is away or takes no writes; try "
        "again after `Retry-After` seconds.",
    }
    return {status: problem_response(titles[status]) for status in statuses}


def problem_response(description: str) -> dict[str, Any]:
    """Return how OpenAPI describes an answer that is a problem."""
    schema = {"$ref": "#/components/schemas/ProblemDocument"}
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema}}}
