"""A real browser: Chromium, as it is installed on the machine."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.browser import NAMES, Visit, installed_chromium, launched, watched


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's program."""
    program = installed_chromium()
    if program is None:
        pytest.skip(
            f"There is no Chromium: none of {', '.join(NAMES)} is on the PATH, and "
            "CHANCERY_TEST_CHROMIUM names none."
        )
    return program


@pytest.fixture(scope="module")
def browser(chromium: str, service: str) -> Iterator[Browser]:  # noqa: ARG001 - The order matters.
    """One browser for a module.

    Playwright's event loop runs in this thread as long as the browser does, and no other loop can:
    so it starts after the service, which needs one, and ends before other modules' tests.
    """
    with launched(chromium) as browser:
        yield browser


@pytest.fixture
def visit(browser: Browser, service: str) -> Iterator[Visit]:
    """A new page, watched: whatever a test does, no other host is asked and nothing goes wrong."""
    with watched(browser, service) as visit:
        yield visit
