"""The formats there are, and how OpenAPI describes an answer in one of them."""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from app.api.problem_responses import documented, problem_response


@dataclass(frozen=True, slots=True)
class Format:
    """A form of answers: how its files are named and what Content-Type says."""

    extension: str
    content_type: str
    is_text: bool = True
    is_saved: bool = True

    @property
    def media_type(self) -> str:
        """The type without its parameters."""
        return self.content_type.partition(";")[0]


CSV = Format("csv", "text/csv; charset=utf-8; header=present")
XLSX = Format(
    "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", is_text=False
)
JSON_LINES = Format("jsonl", "application/jsonl")
ATOM = Format("atom", "application/atom+xml", is_saved=False)
CALENDAR = Format("ics", "text/calendar; charset=utf-8")
TIMELINE_JS = Format("timelinejs.json", "application/json")


_NAME = {
    "description": "Names the file after the filter and the day.",
    "schema": {"type": "string"},
}


def described(
    form: Format, description: str, model: type[BaseModel] | None = None
) -> dict[int | str, dict[str, Any]]:
    """Return what FastAPI needs to describe a file of this format, and what may keep it back."""
    schema = {"type": "string"} if form.is_text else {"type": "string", "format": "binary"}
    content = {"content": {form.media_type: {"schema": schema}}}
    return {
        200: {
            "description": description,
            "headers": {"Content-Disposition": _NAME} if form.is_saved else {},
            **({"model": model} if model else content),
        },
        **documented(422),
        503: problem_response(
            "Too many exports are under way, or the database is away; try again after "
            "`Retry-After` seconds."
        ),
    }
