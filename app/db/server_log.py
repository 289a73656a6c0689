"""Why a server couldn't be started, in PostgreSQL's own words."""

import re

from app.db.programs import ProgramError, Programs

_REASON = re.compile(r"\b(?:FATAL|PANIC): +(?P<reason>.*)")
_DETAIL = re.compile(r"\bDETAIL: +(?P<detail>.*)")
# What whoever asks too early is told, also ourselves.
_NOT_YET = "the database system is "


class ServerLog:
    """What a server has written to its log since this was made."""

    def __init__(self, programs: Programs) -> None:
        """Note where the log ends now."""
        self._programs = programs
        self._begin = programs.log.stat().st_size if programs.log.exists() else 0

    def explain_failed_start(self, options: list[str]) -> str:
        """Return a sentence that says why the server has ended.

        Args:
            options: those that it was started with.

        """
        reason = find_reason(self._written()) or self._try_alone(options)
        return f"The embedded PostgreSQL can't be started: {reason}. Its log: {self._programs.log}"

    def _written(self) -> str:
        with self._programs.log.open("rb") as log:
            log.seek(self._begin)
            return log.read().decode(errors="replace")

    def _try_alone(self, options: list[str]) -> str:
        """Return what a server says that serves nobody and so ends by itself.

        Where the disk is full, the log has no room for the reason.
        """
        data = str(self._programs.data)
        try:
            self._programs.run(
                *("postgres", "--single", "-D", data, *options, "postgres"), standard_input=""
            )
        except ProgramError as error:
            return find_reason(error.complaint) or error.complaint
        return "it ended without saying why"


def find_reason(text: str) -> str | None:
    r"""Return the last fatal error in a piece of a log with its details; None where there is none.

    >>> find_reason("2026-01-05 10:00:00 UTC [7] FATAL:  no room\n[7] DETAIL:  It is full.")
    'FATAL: no room (It is full.)'
    """
    found = None
    for line in text.splitlines():
        if (match := _REASON.search(line)) and not match["reason"].startswith(_NOT_YET):
            found = f"{match[0].split(':')[0]}: {match['reason'].rstrip('.')}"
        elif found and (detail := _DETAIL.search(line)) and not found.endswith(")"):
            found += f" ({detail['detail']})"
    return found
