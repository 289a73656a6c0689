"""Load by wrk: paths from a file, one after the other, and what came of them."""

import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = """
local paths, at = {}, 0
for line in io.lines(os.getenv("WRK_PATHS")) do paths[#paths + 1] = line end
local headers = {}
for name, value in string.gmatch(os.getenv("WRK_HEADERS"), "([^\\n]+): ([^\\n]+)") do
  headers[name] = value
end
request = function()
  at = at % #paths + 1
  return wrk.format("GET", paths[at], headers)
end
done = function(summary, latency)
  local failed = summary.errors.connect + summary.errors.read + summary.errors.write
    + summary.errors.status + summary.errors.timeout
  io.write(string.format("\\nRESULT %d %d %d %d\\n", summary.requests, summary.duration, failed,
    latency:percentile(99)))
end
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Answers in a second, and the time in milliseconds in which 99 of 100 were given."""

    per_second: float
    p99_ms: float


def load(
    address: str,
    paths: Iterable[str],
    *,
    seconds: int,
    connections: int,
    headers: Mapping[str, str] | None = None,
) -> Outcome:
    """Ask for these paths as fast as answers come, so many at once.

    Raises:
        AssertionError: not every answer was a good one.

    """
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        (place / "paths").write_text("\n".join(paths))
        (place / "script.lua").write_text(_SCRIPT)
        listed = "".join(f"{key}: {value}\n" for key, value in (headers or {}).items())
        options = ["-t", "1", "-c", str(connections), "-d", f"{seconds}s", "--timeout", "30s"]
        done = subprocess.run(
            ["wrk", *options, "-s", str(place / "script.lua"), address],
            env={"WRK_PATHS": str(place / "paths"), "WRK_HEADERS": listed, "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=True,
        )
    result = next(line for line in done.stdout.splitlines() if line.startswith("RESULT"))
    requests, microseconds, failed, p99 = (int(each) for each in result.split()[1:])
    assert not failed, f"{failed} of {requests} failed: {done.stdout}"
    return Outcome(requests / microseconds * 1e6, p99 / 1_000)
