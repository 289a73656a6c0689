"""The pages in a real browser, as a journalist uses them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from openpyxl import load_workbook
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.browser import Visit, watched
from tests.support.schedule import slow

DELISTING = "kz-taliban-delisting-2023"
ONE_EACH = [
    "/timeline?country=KZ&kind=designation.delist&date_from=2021",
    f"/events/{DELISTING}",
    "/measures/ru-suspension-law-2024",
    "/positions?subject=taliban&as_of=2023-12-15",
]
MORE = [
    "/timeline?limit=5",
    "/timeline?subject=taliban&sort=oldest&limit=5",
    "/timeline?country=KZ&regime=US-SST",
    "/timeline?country=KZ&embed=1&limit=5",
    "/positions",
]


def titles(page: Page) -> list[str]:
    return page.locator("article.event h3").all_inner_texts()


def drawn(page: Page) -> Locator:
    """Return the marks and bars of the picture, once it has been drawn."""
    expect(page.locator("#picture .vis-timeline")).to_be_visible()
    return page.locator("#picture .vis-item:not(.stand) a")


def unfold(page: Page, heading: str) -> None:
    page.locator("summary", has_text=heading).click()


def test_a_journalist_finds_looks_and_takes_away(
    visit: Visit, browser: Browser, tmp_path: Path
) -> None:
    page = visit.look("/")
    assert urlsplit(page.url).path == "/timeline"
    page.get_by_label("Country", exact=True).fill("Kazakhstan")
    unfold(page, "What happens")
    page.get_by_label("Lists and bans").check()
    page.get_by_role("button", name="Show the events").click()
    shared = page.url
    asked = parse_qsl(urlsplit(shared).query)
    assert asked == [("country", "Kazakhstan"), ("kind", "designation")]
    answer = httpx.get(f"{visit.address}/v1/events", params=dict(asked)).json()["items"]
    found = [event["title"] for event in answer]
    assert titles(page) == found
    expect(drawn(page).first).to_be_visible()
    assert {link.split(" ", 1)[1] for link in drawn(page).all_inner_texts()} == set(found)

    with page.expect_download() as downloaded:
        page.get_by_role("link", name="Excel").click()
    file = tmp_path / downloaded.value.suggested_filename
    downloaded.value.save_as(file)
    rows = list(load_workbook(file).worksheets[0].iter_rows(values_only=True))
    names = [str(name) for name in rows[0]]
    assert [row[names.index("id")] for row in rows[1:]] == [event["id"] for event in answer]
    assert [row[names.index("title")] for row in rows[1:]] == found

    delisting = next(event for event in answer if event["id"] == DELISTING)
    drawn(page).get_by_text(delisting["title"]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(delisting["title"])
    assert urlsplit(page.url).path == f"/events/{DELISTING}"
    addresses = [source["url"] for source in delisting["sources"] if source["url"]]
    links = page.locator("ol.sources a").all()
    assert [link.get_attribute("href") for link in links] == addresses

    # Whoever is sent the address sees the same.
    with watched(browser, visit.address) as other:
        assert titles(other.look(shared.removeprefix(visit.address))) == found
        expect(other.page.get_by_label("Country", exact=True)).to_have_value("Kazakhstan")


@pytest.mark.parametrize("path", [*ONE_EACH, *slow(*MORE)])
def test_axe_finds_nothing_and_a_phone_need_not_scroll_sideways(visit: Visit, path: str) -> None:
    page = visit.look(path)
    if page.locator("#picture").count():
        drawn(page)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.emulate_media(color_scheme="dark")
    found = Axe().run(page, options={"runOnly": ["color-contrast"]})
    assert found.violations_count == 0, found.generate_report()
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.slow
def test_everything_works_without_scripts(browser: Browser, service: str) -> None:
    with watched(browser, service, java_script_enabled=False) as visit:
        page = visit.look("/timeline")
        page.get_by_label("Country", exact=True).fill("Kazakhstan")
        unfold(page, "How far the change has got")
        page.get_by_label("In effect").check()
        page.get_by_role("button", name="Show the events").click()
        expect(page.locator("#found-heading")).to_have_text(re.compile("events match"))
        assert ("status", "in_effect") in parse_qsl(urlsplit(page.url).query)
        expect(page.locator("#picture")).to_be_hidden()
        page.locator("article.event h3 a").first.click()
        expect(page.get_by_role("heading", name="Sources")).to_be_visible()
        visit.look("/positions?subject=taliban&dimension=designation&as_of=2024-12-31")
        expect(page.locator("svg.bars").first).to_be_visible()
        page.get_by_label("On which day").fill("2023-12-10")
        page.get_by_role("button", name="Show the positions").click()
        expect(page.locator("article.possible")).to_contain_text("On the list or Taken off")


@pytest.mark.slow
def test_a_page_on_paper_is_what_there_is_to_read(visit: Visit) -> None:
    page = visit.look("/timeline?country=KZ")
    drawn(page)
    page.emulate_media(media="print")
    for left_out in (page.locator("form"), page.locator("#picture"), page.locator("nav").first):
        expect(left_out).to_be_hidden()
    link = page.locator(".sources a").first
    printed = link.evaluate("link => getComputedStyle(link, '::after').content")
    assert link.get_attribute("href") in printed.replace("\\", "")
    paper = page.pdf(format="A4")
    assert paper.startswith(b"%PDF")
    assert len(paper) > 20_000


@pytest.mark.slow
def test_a_keyboard_is_enough(visit: Visit) -> None:
    page = visit.look("/timeline?country=KZ")
    drawn(page)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    assert skip.evaluate("link => getComputedStyle(link).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    # The picture is passed over: all that it links to is linked in the list.
    for _ in range(60):
        page.keyboard.press("Tab")
        assert not page.evaluate("document.activeElement.closest('.canvas') !== null")


@pytest.mark.slow
def test_the_picture_tells_what_is_unsure_by_more_than_colour(visit: Visit) -> None:
    page = visit.look("/timeline?country=KZ&kind=designation")
    links = drawn(page)
    unsure = page.locator(".vis-item.unsure:not(.stand)", has_text="removes the Taliban")
    assert unsure.evaluate("bar => getComputedStyle(bar).borderTopStyle") == "dashed"
    assert {text[0] for text in links.all_inner_texts()} == {"▲", "▼"}
    expect(page.locator("#picture .vis-label").first).to_have_text("Kazakhstan")
    before = page.locator(".vis-time-axis .vis-text").all_inner_texts()
    page.get_by_role("button", name="Nearer").click()
    expect(page.locator(".vis-time-axis .vis-text").first).not_to_have_text(before[0])


@pytest.mark.slow
def test_with_one_subject_positions_stand_in_the_picture(visit: Visit) -> None:
    page = visit.look("/timeline?subject=taliban&country=KZ")
    drawn(page)
    expect(page.locator(".vis-item.stand.listed")).to_contain_text(["On the list"])
    expect(page.locator(".vis-item.stand.delisted")).to_contain_text(["Taken off the list"])
    visit.look("/timeline?country=KZ")
    drawn(page)
    expect(page.locator(".vis-item.stand")).to_have_count(0)


@pytest.mark.slow
def test_the_slider_asks_for_another_day(visit: Visit) -> None:
    page = visit.look("/positions?actor=KZ&subject=taliban&dimension=designation&as_of=2024-12-31")
    expect(page.locator("article.position .state")).to_have_text("Taken off the list")
    slider = page.get_by_label("The day, on the scale of the bars")
    with page.expect_navigation():
        slider.press("Home")
    expect(page.get_by_label("On which day")).to_have_value("2005-03-15")
    expect(page.locator("article.position .state")).to_have_text("On the list")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a folder as another site."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.slow
def test_another_site_may_show_what_is_meant_for_it(visit: Visit, tmp_path: Path) -> None:
    page, address = visit.page, f"{visit.address}/timeline?country=KZ&embed=1"
    article = f'<link rel="icon" href="data:,"><iframe src="{address}"></iframe>'
    (tmp_path / "article.html").write_text(article)
    with serving(tmp_path) as elsewhere:
        page.goto(f"{elsewhere}/article.html")
        visit.requests.remove(f"{elsewhere}/article.html")
        frame = page.frame_locator("iframe")
        expect(frame.locator("article.event").first).to_be_attached()
        expect(frame.locator("form")).to_have_count(0)
        assert frame.locator("h3 a").first.get_attribute("target") == "_blank"


@pytest.mark.slow
def test_the_dark_is_dark(visit: Visit) -> None:
    visit.page.emulate_media(color_scheme="dark")
    page = visit.look("/timeline")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(28, 32, 34)"


def test_the_policy_allows_nothing_inline_and_no_other_host(service: str) -> None:
    for path in ONE_EACH + MORE:
        policy = httpx.get(service + path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
