"""Chromium, and what its pages ask for and complain about."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # The browser's own errands, which would be counted as requests of the page.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def installed_chromium() -> str | None:
    """Return the program of the browser, or None where there is none."""
    configured = os.environ.get("CHANCERY_TEST_CHROMIUM")
    return configured or next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def launched(program: str) -> Iterator[Browser]:
    """Run the browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visit:
    """A page with what it asked for and complained about."""

    page: Page
    address: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def look(self, path: str) -> Page:
        self.page.goto(self.address + path)
        return self.page

    def open(self, path: str) -> Page:
        """Open a page of Swagger UI."""
        self.look(path).locator(".opblock").first.wait_for()
        return self.page


@contextmanager
def watched(browser: Browser, service: str, **options: Any) -> Iterator[Visit]:
    """Lend a new page of which everything is noted that it asks for or complains about."""
    size: Any = {"width": 1200, "height": 900}
    with browser.new_context(**{"viewport": size} | options) as context:
        visit = Visit(context.new_page(), service)
        visit.page.on("request", lambda request: visit.requests.append(request.url))
        visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        visit.page.on(
            "console",
            # A violation of the policy is told as an error on the console as well.
            lambda said: visit.complaints.append(said.text) if said.type == "error" else None,
        )
        yield visit
    hosts = {urlsplit(url).netloc for url in visit.requests if not url.startswith("data:")}
    assert hosts == {urlsplit(service).netloc}
    assert visit.complaints == []
