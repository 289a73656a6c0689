"""Takes the README's picture of /docs: `python -m tests.browser.picture`.

It shows the filled form above a part of the answer, which on the page stand far apart. The service
is started on a new database with the sample timeline.
"""

import sys
from base64 import b64encode
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page

from tests.browser.conftest import installed_chromium, launched
from tests.support.service import served

PICTURE = Path(__file__).with_name("docs.png")
WIDTH = 1200
FORM_HEIGHT = 1160
ANSWER_HEIGHT = 560
QUESTION = "/docs?country=Kazakhstan&kind=designation.delist"


def main() -> None:
    program = installed_chromium()
    if program is None:
        sys.exit("There is no Chromium to take the picture with.")
    with (
        TemporaryDirectory() as data,
        served({"CHANCERY_DATA_DIR": data}) as address,
        launched(program) as browser,
    ):
        PICTURE.write_bytes(stacked(browser, *halves(browser, address)))
    print(f"{PICTURE.relative_to(Path.cwd())}: {PICTURE.stat().st_size:,} bytes")  # noqa: T201


def halves(browser: Browser, address: str) -> tuple[bytes, bytes]:
    """Return the form as a link fills it in, and the answer to it."""
    page = browser.new_page(viewport={"width": WIDTH, "height": FORM_HEIGHT})
    page.goto(address + QUESTION)
    page.get_by_role("status").wait_for()
    scroll_to(page, "tr[data-param-name=country]", above=70)
    form = page.screenshot()
    page.get_by_role("button", name="Execute").click()
    page.locator(".live-responses-table").wait_for()
    page.set_viewport_size({"width": WIDTH, "height": ANSWER_HEIGHT})
    scroll_to(page, ".responses-wrapper", above=0)
    return form, page.screenshot()


def scroll_to(page: Page, selector: str, above: int) -> None:
    page.wait_for_timeout(500)  # The page scrolls by itself first.
    page.locator(selector).first.evaluate("e => e.scrollIntoView({block: 'start'})")
    page.evaluate(f"scrollBy(0, -{above})")
    page.wait_for_timeout(300)


def stacked(browser: Browser, *pictures: bytes) -> bytes:
    """Return one picture of several, one above the other."""
    page = browser.new_page(viewport={"width": WIDTH, "height": 100})
    shown = (f'<img src="data:image/png;base64,{b64encode(each).decode()}">' for each in pictures)
    style = "body{margin:0}img{display:block}img+img{border-top:3px dashed #5b6b7a}"
    page.set_content(f"<style>{style}</style>{''.join(shown)}")
    return page.screenshot(full_page=True)


if __name__ == "__main__":
    main()
