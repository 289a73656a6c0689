"""Takes the README's picture of /timeline: `python -m tests.browser.picture`.

The service is started on a new database with the sample timeline.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser

from tests.support.browser import installed_chromium, launched
from tests.support.service import served

PICTURE = Path(__file__).with_name("timeline.png")
WIDTH, HEIGHT = 1200, 1120
QUESTION = "/timeline?country=Kazakhstan&country=Russia&date_from=2023"


def main() -> None:
    program = installed_chromium()
    if program is None:
        sys.exit("There is no Chromium to take the picture with.")
    with (
        TemporaryDirectory() as data,
        served({"CHANCERY_DATA_DIR": data}) as address,
        launched(program) as browser,
    ):
        PICTURE.write_bytes(taken(browser, address))
    print(f"{PICTURE.relative_to(Path.cwd())}: {PICTURE.stat().st_size:,} bytes")  # noqa: T201


def taken(browser: Browser, address: str) -> bytes:
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
    page.goto(address + QUESTION)
    page.locator("#picture .vis-item").first.wait_for()
    return page.screenshot()


if __name__ == "__main__":
    main()
