"""Swagger UI in a real browser, as somebody who doesn't program uses it."""

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from playwright.sync_api import Locator, Page, Response, expect

from app.web.docs import only_reading
from tests.support.browser import Visit
from tests.support.commands import run_process, said

KAZAKH_EVENT = "kz-taliban-delisting-2023"


def timeline(page: Page) -> Locator:
    return page.locator("#operations-Timeline-list_events")


def unfolded(page: Page) -> Locator:
    timeline(page).get_by_text("Filter the timeline").click()
    expect(timeline(page).get_by_role("button", name="Execute")).to_be_visible()
    return timeline(page)


def execute(page: Page) -> Response:
    with page.expect_response("**/v1/events?*") as answered:
        timeline(page).get_by_role("button", name="Execute").click()
    return answered.value


def sent(response: Response) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(response.url).query, keep_blank_values=True)


def test_the_operations_are_shown_and_only_those_that_read(visit: Visit) -> None:
    page = visit.open("/docs")
    document = httpx.get(f"{visit.address}/openapi.json").json()
    reading = [path for path in document["paths"].values() if is_for_everybody(path.get("get"))]
    expect(page.locator(".opblock")).to_have_count(len(reading))
    expect(page.locator(".opblock-get")).to_have_count(len(reading))
    expect(page.locator(".authorization__btn, .btn.authorize")).to_have_count(0)
    expect(page.get_by_text("Filter the timeline").last).to_be_visible()
    for group in page.locator(".opblock-tag-section").all():
        expect(group.locator(".opblock").first).to_be_visible()


def is_for_everybody(operation: dict[str, Any] | None) -> bool:
    return operation is not None and "security" not in operation


@pytest.mark.slow
def test_an_editor_sees_everything_and_which_of_it_needs_a_key(visit: Visit) -> None:
    page = visit.open("/docs/editor")
    document = httpx.get(f"{visit.address}/openapi.json").json()
    # Under each of its headings an operation is listed once.
    listed = [
        (method, operation)
        for methods in document["paths"].values()
        for method, operation in methods.items()
        for _ in operation["tags"]
    ]
    expect(page.locator(".opblock")).to_have_count(len(listed))
    for method in ("post", "put", "patch", "delete"):
        count = sum(each == method for each, _ in listed)
        expect(page.locator(f".opblock-{method}")).to_have_count(count)
    guarded = [operation for _, operation in listed if "security" in operation]
    expect(page.locator(".opblock .authorization__btn")).to_have_count(len(guarded))
    expect(page.locator(".opblock-post .authorization__btn").first).to_be_visible()
    expect(page.locator(".btn.authorize")).to_be_visible()


def with_key(visit: Visit, key: str) -> Page:
    """Return the editor's page after the key was given there."""
    page = visit.open("/docs/editor")
    page.locator(".btn.authorize").click()
    page.locator(".auth-container input").fill(key)
    page.locator(".auth-container").get_by_role("button", name="Apply credentials").click()
    page.locator(".auth-container").get_by_role("button", name="Close").click()
    return page


@pytest.mark.slow
def test_an_editor_works_with_a_key_in_the_browser(visit: Visit, timeline_url: str) -> None:
    key = said(run_process("keys", "create", "Browser", "--scope", "admin", url=timeline_url))
    page = with_key(visit, key)
    form = page.locator("#operations-Keys-make_key")
    form.get_by_text("Make a key").click()
    form.locator("textarea").fill('{"name": "Made in a browser", "scopes": ["edit"]}')
    with page.expect_response("**/v1/keys") as answered:
        form.get_by_role("button", name="Execute").click()
    assert answered.value.status == 201
    expect(form.locator(".live-responses-table")).to_contain_text("Made in a browser")
    # It isn't kept in the browser: who opens the page again gives it again.
    visit.open("/docs/editor")
    expect(page.locator(".btn.authorize.locked")).to_have_count(0)


def test_an_editor_corrects_what_was_seen_in_the_browser(
    visit: Visit, timeline_url: str, service: str
) -> None:
    key = said(run_process("keys", "create", "Browser", "--scope", "edit", url=timeline_url))
    page = with_key(visit, key)
    form = page.locator("#operations-Editing-correct_event")
    form.get_by_text("Correct", exact=True).click()
    form.get_by_placeholder("id").fill(KAZAKH_EVENT)
    tag = httpx.get(f"{service}/v1/events/{KAZAKH_EVENT}").headers["etag"]
    form.get_by_placeholder("If-Match").fill(tag)
    # Other tests read this event, so nothing is changed in it.
    form.locator("textarea").fill("{}")
    with page.expect_response("**/v1/events/*") as answered:
        form.get_by_role("button", name="Execute").click()
    assert answered.value.status == 200


def test_a_question_typed_in_by_a_person_is_answered(visit: Visit) -> None:
    form = unfolded(visit.open("/docs"))
    form.get_by_role("button", name="Add a value to country", exact=True).click()
    form.get_by_role("textbox", name="country", exact=True).fill("Kazakhstan")
    form.get_by_role("listbox", name="kind", exact=True).select_option("designation.delist")
    response = execute(visit.page)
    assert response.status == 200
    assert ("country", "Kazakhstan") in sent(response)
    assert ("kind", "designation.delist") in sent(response)
    answer = form.locator(".live-responses-table")
    expect(answer).to_contain_text(KAZAKH_EVENT)
    expect(answer.get_by_text("Response body")).to_be_in_viewport()


@pytest.mark.slow
def test_an_untouched_form_asks_without_a_filter(visit: Visit) -> None:
    unfolded(visit.open("/docs"))
    response = execute(visit.page)
    assert response.status == 200
    assert sent(response) == [("limit", "50")]


@pytest.mark.slow
def test_a_value_that_was_added_and_left_empty_is_not_sent(visit: Visit) -> None:
    form = unfolded(visit.open("/docs"))
    form.get_by_role("button", name="Add a value to country", exact=True).click()
    expect(form.get_by_role("textbox", name="country", exact=True)).to_have_value("")
    response = execute(visit.page)
    assert response.status == 200
    assert sent(response) == [("limit", "50")]


@pytest.mark.slow
def test_an_example_fills_in_its_field(visit: Visit) -> None:
    form = unfolded(visit.open("/docs"))
    examples = form.get_by_role("combobox", name="Examples for country", exact=True)
    examples.select_option(label="Saudi Arabia or the United Arab Emirates")
    values = form.get_by_role("textbox", name="country", exact=True)
    expect(values).to_have_count(2)
    assert sorted(value for name, value in sent(execute(visit.page)) if name == "country") == [
        "AE",
        "SA",
    ]


def test_a_link_fills_in_the_form_and_asks_nothing_by_itself(visit: Visit) -> None:
    page = visit.open(
        "/docs?country=KZ&country=Uzbekistan&kind=designation.delist&kind=designation"
        "&date_from=2021&sort=oldest&limit=20"
    )
    form = timeline(page)
    values = form.get_by_role("textbox", name="country", exact=True)
    expect(values).to_have_count(2)
    expect(values.nth(0)).to_have_value("KZ")
    expect(values.nth(1)).to_have_value("Uzbekistan")
    expect(form.get_by_role("listbox", name="kind", exact=True)).to_have_values(
        [re.compile("designation"), re.compile("designation.delist")]
    )
    expect(form.get_by_role("textbox", name="date_from", exact=True)).to_have_value("2021")
    expect(form.get_by_role("textbox", name="limit", exact=True)).to_have_value("20")
    expect(form.get_by_role("combobox", name="sort", exact=True)).to_have_value("oldest")
    expect(page.get_by_role("status")).to_contain_text("press Execute")
    assert not [url for url in visit.requests if "/v1/" in url]
    response = execute(page)
    assert response.status == 200
    assert sorted(sent(response)) == [
        ("country", "KZ"),
        ("country", "Uzbekistan"),
        ("date_from", "2021"),
        ("kind", "designation"),
        ("kind", "designation.delist"),
        ("limit", "20"),
        ("sort", "oldest"),
    ]
    expect(form.locator(".live-responses-table")).to_contain_text(KAZAKH_EVENT)


@pytest.mark.slow
def test_what_a_link_filled_in_can_be_taken_out_again(visit: Visit) -> None:
    form = timeline(visit.open("/docs?country=KZ&date_from=2021"))
    form.get_by_role("button", name="Remove this value from country").click()
    form.get_by_role("textbox", name="date_from", exact=True).fill("")
    assert sent(execute(visit.page)) == [("limit", "50")]


@pytest.mark.slow
def test_what_the_form_does_not_know_is_named(visit: Visit) -> None:
    page = visit.open("/docs?country=KZ&contry=FR&kind=nonsense")
    notice = page.get_by_role("status")
    expect(notice).to_contain_text("contry=FR")
    expect(notice).to_contain_text("kind=nonsense")
    assert sorted(sent(execute(page))) == [("country", "KZ"), ("limit", "50")]


@pytest.mark.slow
def test_a_number_out_of_range_is_refused_aloud(visit: Visit) -> None:
    form = unfolded(visit.open("/docs"))
    limit = form.get_by_role("textbox", name="limit", exact=True)
    limit.fill("500")
    form.get_by_role("button", name="Execute").click()
    expect(limit).to_be_focused()
    assert "200" in limit.evaluate("control => control.validationMessage")
    limit.fill("100")
    assert execute(visit.page).status == 200


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/docs", "/docs?country=KZ"])
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_a_phone_need_not_scroll_sideways(visit: Visit, path: str, colours: str) -> None:
    visit.page.set_viewport_size({"width": 390, "height": 800})
    visit.page.emulate_media(color_scheme="dark" if colours == "dark" else "light")
    page = visit.open(path)
    if "?" in path:
        execute(page)
        expect(timeline(page).locator(".live-responses-table")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") is (colours == "light")


@pytest.mark.slow
def test_every_control_of_the_form_has_a_name(visit: Visit) -> None:
    form = unfolded(visit.open("/docs"))
    controls = form.locator(".parameters").locator("input, select, button")
    expect(controls.first).to_be_visible()
    assert controls.count() > 19
    names = [each.get_attribute("aria-label") for each in controls.all()]
    assert all(names)


def test_the_policy_allows_nothing_inline_and_no_other_host(service: str) -> None:
    policy = httpx.get(f"{service}/docs").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_assets_are_kept_and_asked_again(service: str) -> None:
    for path in ("/docs", "/docs/editor", "/openapi-docs.json", "/favicon.ico", "/static/docs.js"):
        first = httpx.get(service + path)
        assert first.status_code == 200
        assert first.headers["cache-control"] == "public, no-cache"
        known = {"If-None-Match": first.headers["etag"]}
        assert httpx.get(service + path, headers=known).status_code == 304
        assert httpx.head(service + path).headers["etag"] == first.headers["etag"]


def test_a_part_of_an_asset_is_answered_with_the_whole(service: str) -> None:
    answer = httpx.get(f"{service}/static/docs.js", headers={"Range": "bytes=0-9"})
    assert answer.status_code == 200
    assert len(answer.content) > 10


def test_what_writes_or_needs_a_key_is_left_out() -> None:
    paths = {
        "/both": {"get": {"tags": ["Reading"]}, "post": {"tags": ["Writing"]}},
        "/write": {"put": {}},
        "/secret": {"get": {"tags": ["Keys"], "security": [{"key": ["admin"]}]}},
    }
    document = {
        "openapi": "3.1.0",
        "paths": paths,
        "components": {"schemas": {"A": {}}, "securitySchemes": {"key": {}}},
        "tags": [{"name": "Reading"}, {"name": "Writing"}, {"name": "Keys"}],
    }
    assert only_reading(document) == {
        "openapi": "3.1.0",
        "paths": {"/both": {"get": {"tags": ["Reading"], "parameters": []}}},
        "components": {"schemas": {"A": {}}},
        "tags": [{"name": "Reading"}],
    }
