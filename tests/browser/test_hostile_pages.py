"""Texts that try to be something else, on pages in a real browser."""

import asyncio
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import Visit, watched
from tests.support.database import cloned
from tests.support.hostile import TEXTS, record_hostile
from tests.support.schedule import slow
from tests.support.service import served


@pytest.fixture(scope="module")
def hostile_service(server_url: str, migrated_template: str) -> Iterator[str]:
    with cloned(server_url, migrated_template) as url:
        asyncio.run(record_hostile(url))
        with served({"CHANCERY_DATABASE_URL": url}) as address:
            yield address


@pytest.fixture
def hostile_visit(hostile_service: str, browser: Browser) -> Iterator[Visit]:
    with watched(browser, hostile_service) as visit:
        visit.page.set_viewport_size({"width": 390, "height": 844})
        yield visit


@pytest.mark.parametrize("path", ["/timeline", *slow("/timeline?subject=KZ", "/timeline?embed=1")])
def test_texts_stay_texts_in_lists_and_pictures(hostile_visit: Visit, path: str) -> None:
    page = hostile_visit.look(path)
    expect(page.locator("#picture .vis-timeline")).to_be_visible()
    expect(page.locator("article.event")).to_have_count(len(TEXTS))
    expect(page.locator("#picture .vis-item a")).to_have_count(len(TEXTS))
    assert (
        page.evaluate("document.querySelectorAll('.canvas script, .canvas b, .canvas img').length")
        == 0
    )
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    links = page.locator("article a").all()
    assert not [a for a in links if "evil" in (a.get_attribute("href") or "")]


@pytest.mark.slow
def test_texts_stay_texts_on_every_events_page(hostile_visit: Visit) -> None:
    for name, text in TEXTS.items():
        page = hostile_visit.look(f"/events/hostile-{name}")
        heading = page.get_by_role("heading", level=1)
        assert " ".join((heading.text_content() or "").split()) == " ".join(text.split())
        assert page.evaluate("document.documentElement.scrollWidth") == 390
