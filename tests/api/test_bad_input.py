"""Bad input gets a clear problem that says where and what to do, and never a fault of ours."""

import httpx
import pytest

from app.api.layers.envelope import MAX_URL_LENGTH
from app.api.parameters import MAX_VALUES
from app.api.resolve import MOST_REFUSED
from app.domain.errors import MAX_FAULTS
from tests.support.problems import problem_of


@pytest.mark.parametrize(
    ("query", "field", "code", "suggestion"),
    [
        ("contry=KZ", "contry", "unknown_parameter", "country"),
        ("contry=", "contry", "unknown_parameter", "country"),
        ("q=...", "q", "nothing_to_search", None),
        ("q=%22", "q", "nothing_to_search", None),
        ("q=-", "q", "nothing_to_search", None),
        ("q=" + "a" * 501, "q", "string_too_long", None),
        ("q=" + "a" * 10_000, "q", "string_too_long", None),
        ("q=" + "+".join(f"a{n}" for n in range(51)), "q", "too_many_words", None),
        ("q=one&q=two", "q", "repeated", None),
        ("known_at=2999-01-01", "known_at", "in_the_future", None),
        ("known_at=yesterday", "known_at", "invalid_instant", None),
        ("known_at=0001-01-01", "known_at", "invalid_instant", None),
        ("known_at=2024-01-01&known_at=2024-01-02", "known_at", "repeated", None),
        ("knowledge=announced", "knowledge", "needs_known_at", None),
        ("knowledge=guessed&known_at=2024-01-01", "knowledge", "unknown_value", None),
        ("offset=10", "offset", "unknown_parameter", None),
        ("status=propsed", "status", "unknown_value", "proposed"),
        ("status=PROPOSED", "status", "unknown_value", "proposed"),
        ("status=proposed&status=nonsense", "status", "unknown_value", None),
        ("kind=designation.delisted", "kind", "unknown_value", "designation.delist"),
        ("verification=true", "verification", "unknown_value", None),
        ("direction=easy", "direction", "unknown_value", "easing"),
        ("sort=relevance", "sort", "needs_q", None),
        ("sort=relevance&q=", "sort", "needs_q", None),
        ("include=facet", "include", "unknown_value", "facets"),
        ("date_field=published", "date_field", "unknown_value", None),
        ("date_match=inside", "date_match", "unknown_value", None),
        ("limit=0", "limit", "out_of_range", None),
        ("limit=201", "limit", "out_of_range", None),
        ("limit=-1", "limit", "out_of_range", None),
        ("limit=1e2", "limit", "out_of_range", None),
        ("limit=5.0", "limit", "out_of_range", None),
        ("limit=9223372036854775808", "limit", "out_of_range", None),
        ("limit=ten", "limit", "out_of_range", None),
        ("limit=٣", "limit", "out_of_range", None),
        ("limit=10&limit=10", "limit", "repeated", None),
        ("sort=newest&sort=oldest", "sort", "repeated", None),
        ("sort=newest&sort=", "sort", "repeated", None),
        ("date_from=2024&date_from=2025", "date_from", "repeated", None),
        ("date_from=0", "date_from", "invalid_date", None),
        ("date_from=0000", "date_from", "invalid_date", None),
        ("date_from=10000", "date_from", "invalid_date", None),
        ("date_from=0999-12-31", "date_from", "invalid_date", None),
        ("date_to=3000", "date_to", "invalid_date", None),
        ("date_from=2024-02-30", "date_from", "invalid_date", None),
        ("date_from=2024-13", "date_from", "invalid_date", None),
        ("date_from=22.12.2024", "date_from", "invalid_date", None),
        ("date_from=2024~", "date_from", "invalid_date", None),
        ("date_from=2024/2025", "date_from", "invalid_date", None),
        ("date_from=infinity", "date_from", "invalid_date", None),
        ("date_from=-62135596801", "date_from", "invalid_date", None),
        ("date_from=2024-12-22T00:00:00Z", "date_from", "invalid_date", None),
        ("date_from=2025&date_to=2024", "date_to", "empty_range", None),
        ("updated_since=yesterday", "updated_since", "invalid_instant", None),
        ("updated_since=1700000000", "updated_since", "invalid_instant", None),
        ("updated_since=2024-01-01T25:00:00Z", "updated_since", "invalid_instant", None),
        ("updated_since=0001-01-01T00:00:00%2B14:00", "updated_since", "invalid_instant", None),
        ("updated_since=9999-12-31T23:59:59-14:00", "updated_since", "invalid_instant", None),
        ("country=Taliban", "country", "unknown_country", "party=taliban"),
        ("country=Hamas", "country", "unknown_country", "party=hamas"),
        ("country=Gaza", "country", "unknown_country", "Palestine"),
        ("country=DNR", "country", "unknown_country", "Donetsk"),
        ("country=398", "country", "unknown_country", "Kazakhstan"),
        ("country=Kazakhstn", "country", "unknown_country", "Kazakhstan"),
        ("country=Nowhere Land of Nothing", "country", "unknown_country", None),
        ("country=KZ&country=Atlantis", "country", "unknown_country", None),
        ("country=Congo", "country", "ambiguous", "CD"),
        ("country=Korea", "country", "ambiguous", "KP"),
        ("country=%25", "country", "unknown_country", None),
        ("country=" + "a" * 5_000, "country", "unknown_country", None),
        ("party=Talban", "party", "unknown_party", "taliban"),
        ("party=(K)(Z)", "party", "unknown_party", None),
        ('actor={"$gt": ""}', "actor", "unknown_party", None),
        ("country=\u202eKZ", "country", "unknown_country", None),
        ("party=KZZ", "party", "unknown_party", None),
        ("actor=Congo", "actor", "ambiguous", "CD"),
        ("subject='; DROP TABLE event; --", "subject", "unknown_party", None),
        ("regime=RU-UF", "regime", "unknown_regime", "RU-UFL"),
        ("regime=ru-ufl", "regime", "unknown_regime", "RU-UFL"),
        ("regime=UFL", "regime", "unknown_regime", "RU-UFL"),
        ("party=UN", "party", "unknown_party", "country=UN"),
        ("actor=UN", "actor", "unknown_party", "united-nations-security-council"),
        ("measure=ru-ufl-talban", "measure", "unknown_measure", "ru-ufl-taliban"),
        ("cursor=abc", "cursor", "invalid_cursor", None),
        ("cursor=" + "a" * 2_000, "cursor", "invalid_cursor", None),
        ("cursor=%3D%3D%3D", "cursor", "invalid_cursor", None),
        ("country=%00", "country", "unreadable_text", None),
        ("country=K%00Z", "country", "unreadable_text", None),
        ("%00=KZ", "\ufffd", "unreadable_text", None),
        ("country=%ff", "country", "unreadable_text", None),
        ("country=%ED%A0%80", "country", "unreadable_text", None),
        ("country=%1b[31m", "country", "unreadable_text", None),
    ],
)
async def test_a_bad_parameter_is_named_and_the_right_one_suggested(
    client: httpx.AsyncClient, query: str, field: str, code: str, suggestion: str | None
) -> None:
    problem = problem_of(await client.get(f"/v1/events?{query}"), 422)
    assert problem["code"] == "invalid-request"
    (fault,) = problem["errors"]
    assert (fault["location"], fault["field"], fault["code"]) == ("query", field, code)
    assert fault["message"] in problem["detail"]
    if suggestion is not None:
        assert suggestion in fault["suggestions"]
        assert suggestion in fault["message"]


async def test_every_fault_is_listed(client: httpx.AsyncClient) -> None:
    problem = problem_of(await client.get("/v1/events?country=Xx1&party=Yy1&regime=Z"), 422)
    assert [fault["field"] for fault in problem["errors"]] == ["country", "party", "regime"]


async def test_a_cursor_of_another_filter_is_refused(client: httpx.AsyncClient) -> None:
    page = (await client.get("/v1/events?country=RU&limit=1")).json()
    for changed in (
        page["next"].replace("country=RU", "country=US"),
        page["next"] + "&sort=oldest",
        page["next"] + "&status=proposed",
        page["next"].replace("/events?country=RU&limit=1&", "/measures?"),
    ):
        problem = problem_of(await client.get(changed), 422)
        assert problem["errors"][0]["code"] == "invalid_cursor"


async def test_an_edited_cursor_is_refused(client: httpx.AsyncClient) -> None:
    page = (await client.get("/v1/events?limit=1")).json()
    value = page["next"].partition("cursor=")[2]
    edited = value[:-4] + ("AAAA" if value[-4:] != "AAAA" else "BBBB")
    problem_of(await client.get(f"/v1/events?cursor={edited}"), 422)


async def test_of_very_many_faults_the_first_are_listed(client: httpx.AsyncClient) -> None:
    for query, listed in (
        ("&".join(f"country=Nowhere{n}" for n in range(MAX_VALUES)), MOST_REFUSED),
        ("&".join(f"party=Nobody{n}&actor=Nobody{n}" for n in range(MAX_VALUES)), MOST_REFUSED),
        ("&".join(f"no{n}=" for n in range(3_000)), MAX_FAULTS),
        ("&".join(f"no{n}=%00" for n in range(2_000)), MAX_FAULTS),
        ("country=Nowhere&" * 1_000, 1),
    ):
        problem = problem_of(await client.get(f"/v1/events?{query}"), 422)
        assert len(problem["errors"]) == listed


async def test_what_turns_the_text_around_it_is_not_repeated(client: httpx.AsyncClient) -> None:
    for query in ("country=a\u202eb", "a\u2066b=1", "status=a%0d%0ab"):
        problem = problem_of(await client.get(f"/v1/events?{query}"), 422)
        assert "a\ufffd" in problem["detail"]
        assert not {"\u202e", "\u2066", "\r", "\n"} & set(problem["detail"])


async def test_a_problem_repeats_no_more_than_a_piece_of_what_was_sent(
    client: httpx.AsyncClient,
) -> None:
    for query in ("country=", "party=", "regime=", "date_from=", "status=", "x"):
        response = await client.get(f"/v1/events?{query}{'a' * 9_000}=1")
        problem_of(response, 422)
        assert "a" * 100 not in response.text


@pytest.mark.parametrize("path", ["/v1/events?country=", "/v1/events?x=", "/v1/events/", "/"])
async def test_an_address_that_is_too_long_is_a_414(client: httpx.AsyncClient, path: str) -> None:
    problem = problem_of(await client.get(path + "a" * MAX_URL_LENGTH), 414)
    assert problem["code"] == "url-too-long"


async def test_the_longest_address_is_answered(client: httpx.AsyncClient) -> None:
    names = "&".join(["country=KZ"] * 2_900)
    response = await client.get(f"/v1/events?{names}")
    assert response.status_code == 200
    assert response.json()["filter"] == {"country": ["KZ"]}


@pytest.mark.parametrize(
    "path",
    ["/v1/nothing", "/v1", "/v1/events/", "/v1/events/a/b", "/V1/events", "//v1/events", "/v2"],
)  # fmt: skip
async def test_an_unknown_path_is_a_404(client: httpx.AsyncClient, path: str) -> None:
    assert problem_of(await client.get(path), 404)["code"] == "not-found"


@pytest.mark.parametrize("path", ["/v1/events/%ff", "/v1/events/%00", "/%ED%A0%80", "/v1/%7f"])
async def test_a_path_that_cant_be_read_is_a_400(client: httpx.AsyncClient, path: str) -> None:
    assert problem_of(await client.get(path), 400)["code"] == "malformed-url"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/events/no-such-event",
        "/v1/events/" + "a" * 5_000,
        "/v1/events/KZ%2F..%2F",
        "/v1/parties/nobody",
        "/v1/regimes/NONE",
        "/v1/measures/none",
        "/v1/territories/ZZ",
        "/v1/vocabulary/none",
    ],
)
async def test_an_unknown_thing_is_a_404_that_says_where_the_known_ones_are(
    client: httpx.AsyncClient, path: str
) -> None:
    problem = problem_of(await client.get(path), 404)
    assert "/" in problem["detail"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
async def test_a_wrong_method_is_a_405_that_lists_the_right_ones(
    client: httpx.AsyncClient, method: str
) -> None:
    response = await client.request(method, "/v1/events")
    assert problem_of(response, 405)["code"] == "method-not-allowed"
    assert response.headers["allow"] == "GET, HEAD, OPTIONS, POST"


@pytest.mark.parametrize("host", ['evil"><', "a b", "x/y", "[::1", "host:port", "é"])
async def test_a_host_that_is_none_is_refused(client: httpx.AsyncClient, host: str) -> None:
    response = await client.get("/v1/events?limit=1", headers={b"Host": host.encode()})
    assert problem_of(response, 400)["code"] == "invalid-host"


@pytest.mark.parametrize("path", ["/v1/territories", "/v1/parties", "/v1/regimes", "/v1/measures"])
@pytest.mark.parametrize(
    "query", ["limit=0", "cursor=x", "Q=a", "q=a&q=b", "q=" + "a" * 101, "q=%25", "q=☂"]
)
async def test_lists_of_reference_data_refuse_likewise(
    client: httpx.AsyncClient, path: str, query: str
) -> None:
    problem_of(await client.get(f"{path}?{query}"), 422)
