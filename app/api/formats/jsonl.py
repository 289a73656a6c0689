"""JSON Lines: one item a line, exactly as it is served elsewhere."""

from collections.abc import Sequence


class JsonLines:
    """Writes items that are JSON already and hold no line breaks."""

    def begin(self) -> str:
        """Return nothing: the first line is the first item."""
        return ""

    def write(self, items: Sequence[str]) -> str:
        """Return the lines of the next items."""
        return "".join(f"{item}\n" for item in items)

    def end(self) -> str:
        """Return nothing: the last line is the last item."""
        return ""
