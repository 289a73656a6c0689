"""Real answers, shown as examples: documents of the shipped timeline."""

import json
from importlib.resources import files
from typing import Any

EVENT: dict[str, Any] = json.loads(
    (files("app") / "data" / "example_event.json").read_text(encoding="utf-8")
)
