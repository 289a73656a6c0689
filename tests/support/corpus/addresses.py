"""Paths and queries: every parameter with what people and scanners put into it."""

from urllib.parse import quote

from app.domain.text import shown
from tests.support.corpus.cases import CURSOR, Case, asking, get, request

EVENTS = "/v1/events"
LONGEST_URL = 32_768

# The bytes are no text, or a text that can't be stored or shown.
UNREADABLE = {
    "NUL": "%00", "NUL within": "K%00Z", "NUL at the end": "KZ%00", "escape": "%1b[31mKZ",
    "backspace": "KZ%08", "delete": "%7f", "not UTF-8": "%ff", "Latin-1": "C%f4te",
    "cut UTF-8": "%e2%82", "overlong slash": "%c0%af", "overlong NUL": "%c0%80",
    "surrogate": "%ed%a0%80", "pair of surrogates": "%ed%a0%bd%ed%b8%80",
    "beyond Unicode": "%f4%90%80%80", "noncharacter": "%ef%bf%bf", "UTF-16": "%ff%feK%00",
}  # fmt: skip

# Texts that are readable and mean something to somebody, but nothing to this register.
ACTIVE = {
    "SQL": "'; DROP TABLE event; --", "SQL or": "' OR '1'='1", "SQL union": "1 UNION SELECT NULL--",
    "SQL sleep": "1); SELECT pg_sleep(10)--", "script": "<script>alert(1)</script>",
    "image": '"><img src=x onerror=alert(1)>', "attribute": "' onmouseover='alert(1)",
    "address": "javascript:alert(1)", "end of comment": "--><svg/onload=alert(1)>",
    "Jinja": "{{7*7}}", "Jinja block": "{% for a in () %}", "EL": "${7*7}", "ERB": "<%= 7*7 %>",
    "LDAP": "*)(uid=*))(|(uid=*", "XPath": "' or count(/*)=1 or 'a'='b", "shell": "$(id)`id`;id|id",
    "file": "../../../../etc/passwd", "Windows file": "..\\..\\win.ini",
    "log line": "x\r\nINFO forged", "header": "x\r\nX-Injected: yes",
    "JNDI": "${jndi:ldap://127.0.0.1:1/a}", "formula": '=HYPERLINK("http://evil.example","x")',
    "command": "=cmd|' /C calc'!A0", "object": '{"$gt": ""}',
    "entity": '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>',
    "override": "\u202ezitsnatshkazaK", "isolate": "\u2066Nowhere\u2069", "format": "%s%s%n%x",
    "Python": "__class__", "prototype": "__proto__", "null": "null", "undefined": "undefined",
    "emoji": "🏴‍☠️👾", "marks": "a" + "\u0301" * 500, "long": "x" * 3_000, "number": "1e999",
    "look-alike": "Кazakhstаn of Nowhere", "list": "KZ,RU", "semicolons": "KZ;RU",
}  # fmt: skip

# For what is checked in the same way as something that is tried with all of them.
SOME = {label: ACTIVE[label] for label in ("SQL", "script", "header", "override", "null")}

NO_SEARCH = {"emoji", "marks", "long"}

# Nothing but signs: no name, and no word to search for.
WORDLESS = {
    "percent": "%",
    "star": "*",
    "underscore": "_",
    "dots": "...",
    "quotes": '""',
    "slash": "/",
}

DATES = {
    "word": "yesterday", "zero": "0", "year 0": "0000", "before 1000": "0999-12-31",
    "after 2999": "3000", "five digits": "10000", "month 13": "2024-13", "month 0": "2024-00",
    "day 0": "2024-01-00", "day 32": "2024-01-32", "30 February": "2024-02-30",
    "29 February": "2023-02-29", "31 April": "2024-04-31", "one digit": "2024-1-1",
    "slashes": "2024/01/01", "German": "22.12.2024", "American": "12/22/2024",
    "compact": "20241222", "ordinal": "2024-366", "week": "2024-W52", "season": "2024-21",
    "negative": "-2024", "plus": "+2024", "exponent": "2e3", "decimal": "2024.0",
    "epoch": "1734825600", "epoch in ms": "1734825600000", "before the epoch": "-62135596801",
    "infinity": "infinity", "minus infinity": "-infinity", "NaN": "NaN", "Arabic digits": "٢٠٢٤",
    "fullwidth": "２０２４", "tail": "2024-12-22x", "line": "2024-12-22\n2024",
    "minus sign": "2024−12−22", "today": "now()",
}  # fmt: skip
# Dates of the register's own profile, which a day of the calendar isn't.
EDTF = (
    "2024~",
    "2024?",
    "2024-12%",
    "../2024",
    "2024/..",
    "2023/2024",
    "2024-12-XX",
    "[2023,2024]",
)
INSTANTS = (
    "2024-12-22T25:00:00Z", "2024-12-22T24:00:00Z", "2024-12-22T10:60:00Z", "2024-12-22T10:00:61Z",
    "2024-12-22T10:00:00", "2024-12-22 10:00:00Z", "2024-12-22T10:00:00+25:00", "T10:00:00Z",
    "2024-12-22T10Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "10:00",
    "2024-02-30T10:00:00Z", "2024-12-22T10:00:00.1234567Z", "2024-12-22T", "2024-12-22Z",
)  # fmt: skip

NUMBERS = {
    "zero": "0", "negative": "-1", "minus zero": "-0", "plus": "+5", "one too many": "201",
    "exponent": "1e2", "decimal": "5.0", "comma": "5,0", "hexadecimal": "0x10", "underscore": "1_0",
    "word": "ten", "infinity": "inf", "NaN": "nan", "true": "true", "Arabic digit": "٥",
    "superscript": "²", "fullwidth": "５", "int32": "2147483648", "int64": "9223372036854775808",
    "long": "9" * 100, "longer": "9" * 5_000, "two": "5 5", "list": "[5]", "nul word": "null",
}  # fmt: skip

NAMES = ("country", "party", "actor", "subject", "regime", "measure")
ONE_OF_EACH_SORT = (
    "country",
    "party",
    "regime",
    "status",
    "date_from",
    "known_at",
    "limit",
    "cursor",
)
WORDS = (
    "kind",
    "status",
    "verification",
    "direction",
    "date_field",
    "date_match",
    "sort",
    "include",
)
DAYS = ("date_from", "date_to")
SINGLE = ("q", *DAYS, "date_field", "date_match", "updated_since", "known_at", "knowledge", "sort",
          "limit", "cursor")  # fmt: skip
PARAMETERS = (
    *NAMES,
    *WORDS,
    *DAYS,
    "q",
    "updated_since",
    "known_at",
    "knowledge",
    "limit",
    "cursor",
)


def refused(name: str, value: str, label: str, path: str = EVENTS) -> Case:
    """Return a case of a parameter that can't be understood."""
    return Case(f"{path}: {name} is {label}", asking(path, name, value), (422,), name)


UNREADABLE_QUERIES = [
    Case(f"{name} is {label}", get(f"{EVENTS}?{name}={value}"), (422,), name)
    for name in PARAMETERS
    for label, value in UNREADABLE.items()
    if name in {"country", "q"} or label in {"NUL", "surrogate", "not UTF-8"}
]
TEXT_QUERIES = [
    *(
        refused(name, value, label)
        for name in PARAMETERS
        if name not in {"q", "knowledge"}
        for label, value in {**ACTIVE, **WORDLESS}.items()
        if name in ONE_OF_EACH_SORT or label in SOME
        # A dossier may be called so.
        if (name, label) != ("measure", "null")
    ),
    # What is active elsewhere is only words here, unless there is no word in it or too much.
    *(
        Case(f"q is {label}", asking(EVENTS, "q", value), (422,) if label in NO_SEARCH else (200,))
        for label, value in ACTIVE.items()
    ),
    *(refused("q", value, label) for label, value in WORDLESS.items()),
]
VALUE_QUERIES = [
    *(refused("date_from", value, label) for label, value in DATES.items()),
    *(refused("date_to", DATES[label], label) for label in ("word", "year 0", "after 2999")),
    *(refused("date_from", value, value) for value in (*EDTF, *INSTANTS)),
    *(refused("known_at", value, label) for label, value in DATES.items()),
    *(refused("updated_since", value, value) for value in (*INSTANTS, "2024", "2024-12", "0")),
    refused("known_at", "2999-01-01", "to come"),
    refused("knowledge", "announced", "without known_at"),
    refused("sort", "relevance", "relevance to nothing"),
    *(refused("limit", value, label) for label, value in NUMBERS.items()),
    *(refused("cursor", value, label) for label, value in NUMBERS.items()),
    *(
        Case(f"{name} is given twice", get(f"{EVENTS}?{name}=1&{name}=2"), (422,), name)
        for name in SINGLE
    ),
    Case("the range ends before it begins", get(f"{EVENTS}?date_from=2025&date_to=2024"), (422,),
         "date_to"),
    *(
        Case(f"country {name} is ambiguous", asking(EVENTS, "country", name), (422,), "country")
        for name in ("Congo", "Korea")
    ),
    *(
        Case(f"country {name} is no country", asking(EVENTS, "country", name), (422,), "country")
        for name in ("Taliban", "Hamas", "Kazakhstn", "Atlantis", "398", "kz-taliban", "РУСЬ")
    ),
]  # fmt: skip
CURSORS = [
    Case(
        "a cursor of another question",
        get(f"{EVENTS}?country=RU&cursor={CURSOR}"),
        (422,),
        "cursor",
    ),
    Case("a cursor of another list", get(f"/v1/measures?cursor={CURSOR}"), (422,), "cursor"),
    Case("a cursor and something", get(f"{EVENTS}?cursor={CURSOR}A"), (422,), "cursor"),
    Case("a cursor without its end", get(f"{EVENTS}?cursor={CURSOR[:-1]}"), (422,), "cursor"),
    Case("a cursor and its padding", get(f"{EVENTS}?cursor={CURSOR}%3D%3D"), (200, 422)),
    Case("a cursor within another", get(f"{EVENTS}?cursor={CURSOR}{CURSOR}"), (422,), "cursor"),
    Case(
        "a cursor of another order", get(f"{EVENTS}?sort=oldest&cursor={CURSOR}"), (422,), "cursor"
    ),
]

# Nothing is ever silently ignored: what doesn't exist is refused, however near it comes.
UNKNOWN = [
    Case(f"there is no {name!r}", asking(EVENTS, name, "KZ"), (422,), shown(name))
    for name in (
        "contry", "Country", "COUNTRY", "countries", "country[]", "country[0]", "country[a]",
        "country.name", "country ", " country", "counтry", "date-from", "dateFrom", "datefrom",
        "from", "to", "as_of", "page", "offset", "skip", "per_page", "page_size", "size", "top",
        "sort_by", "order", "fields", "select", "format", "callback", "jsonp", "access_token",
        "api_key", "token", "debug", "_method", "_", "__class__", "constructor", "filter", "where",
        "$filter", "id", "title", "x" * 500, "é", "💥", "<script>", "by", "embed", "self", "cls",
    )
]  # fmt: skip
UNKNOWN_ELSEWHERE = [
    Case(f"{path} has no x", get(f"{path}?x=1"), (422,), "x")
    for path in (
        "/v1/events.csv", "/v1/events.xlsx", "/v1/events.jsonl", "/v1/events.atom",
        "/v1/events.ics", "/v1/events.timelinejs.json", "/v1/facets", "/v1/positions",
        "/v1/positions/history", "/v1/positions.csv", "/v1/positions.xlsx", "/v1/positions.jsonl",
        "/v1/measures", "/v1/measures/ru-ufl-taliban", "/v1/territories", "/v1/territories/KZ",
        "/v1/parties", "/v1/parties/KZ", "/v1/regimes", "/v1/regimes/RU-UFL", "/v1/vocabulary",
        "/v1/vocabulary/kind", "/v1/changes", "/v1/changes/stream", "/v1/columns",
        "/v1/imports/template.csv", "/v1/events/kz-taliban-delisting-2023",
        "/v1/events/kz-taliban-delisting-2023/revisions",
        "/v1/events/kz-taliban-delisting-2023/revisions/1", "/timeline", "/positions",
        "/events/kz-taliban-delisting-2023", "/measures/ru-ufl-taliban",
    )
]  # fmt: skip

# The other operations, each with what it takes beyond the filter.
ELSEWHERE = [
    *(
        Case(f"{path} comes whole, so without {name}", get(f"{path}?{name}=10"), (422,), name)
        for path in ("/v1/events.csv", "/v1/events.xlsx", "/v1/events.jsonl", "/v1/events.atom",
                     "/v1/events.ics", "/v1/events.timelinejs.json")
        for name in ("limit", "cursor", "include")
    ),
    *(
        refused(name, value, label, path)
        for path in ("/v1/events.csv", "/v1/events.atom", "/v1/facets", "/timeline")
        for name in ("country", "status", "date_from")
        for label, value in (
            ("SQL", ACTIVE["SQL"]), ("a script", ACTIVE["script"]), ("a header", ACTIVE["header"])
        )
    ),
    *(
        refused("by", value, label, "/v1/facets")
        for label, value in {**ACTIVE, **WORDLESS, "no facet": "title", "a column": "id"}.items()
    ),
    *(
        Case(f"/v1/positions: as_of is {label}",
             get(f"/v1/positions?subject=taliban&as_of={quote(value)}"), (422,), "as_of")
        for label, value in {**DATES, "year": "2024", "month": "2024-12"}.items()
    ),
    *(
        Case(f"/v1/positions/history: {name} is {label}",
             get(f"/v1/positions/history?subject=taliban&{name}={quote(value)}"), (422,), name)
        for name in ("from", "to")
        for label, value in DATES.items()
        if label in {"word", "year 0", "after 2999", "30 February", "infinity", "epoch"}
    ),
    *(
        Case(f"/v1/positions: {name} is {label}",
             get(f"/v1/positions?subject=taliban&{name}={quote(value)}"), (422,), name)
        for name in ("dimension", "state", "certainty", "min_verification", "regime", "actor")
        for label, value in (
            ("SQL", ACTIVE["SQL"]), ("a script", ACTIVE["script"]), ("dots", "..."), ("0", "0")
        )
    ),
    Case("positions of nobody", get("/v1/positions"), (422,), "subject"),
    Case("positions under no regime", get(
        "/v1/positions?subject=taliban&dimension=mission&regime=RU-UFL"), (422,), "regime"),
    Case("min_verification is disputed", get(
        "/v1/positions?subject=taliban&min_verification=disputed"), (422,), "min_verification"),
    Case("a history that ends before it begins", get(
        "/v1/positions/history?subject=taliban&from=2025&to=2024"), (422,), "to"),
    *(
        refused("since", value, label, path)
        for path in ("/v1/changes", "/v1/changes/stream")
        for label, value in NUMBERS.items()
        if label not in {"zero", "one too many", "int32"}
    ),
    *(refused("limit", NUMBERS[label], label, "/v1/changes")
      for label in ("zero", "one too many", "exponent", "longer")),
    *(
        refused(name, value, label, path)
        for path in ("/v1/territories", "/v1/parties", "/v1/regimes", "/v1/measures")
        for name, value, label in (
            ("limit", "0", "0"), ("limit", "201", "201"), ("cursor", "x", "x"),
            ("q", "x" * 101, "long"),
            *(("q", value, label) for label, value in WORDLESS.items()),
        )
    ),
    *(
        Case(f"{path}?q is {label}", asking(path, "q", value), (200,))
        for path in ("/v1/territories", "/v1/parties", "/v1/regimes", "/v1/measures")
        for label, value in SOME.items()
    ),
]  # fmt: skip

# What nobody recorded has no address; what isn't UTF-8 is none.
NOTHING_HERE = [
    Case(f"path {path}", get(path), (404,), code="not-found" if path.startswith("/v1/") else "")
    for path in (
        "/v1", "/v1/", "/v2/events", "/V1/events", "/v1/Events", "//v1/events", "/v1//events",
        "/v1/events/", "/v1/events//", "/v1/events/x/", "/v1/events/x/y", "/v1/events;a=b",
        "/v1/events.", "/v1/events.json", "/v1/events.xml", "/v1/events.csv/", "/v1/events%2ecsv/",
        "/v1/events/..", "/v1/events/.", "/v1/../v1/nothing", "/v1/%2e%2e/", "/v1/events%20",
        "/v1/events%3Flimit=1", "/v1/events%23", "/v1/events%2f", "/v1/events%5c", "/v1/event",
        "/v1/events/no-such-event", "/v1/events/" + "a" * 3_000, "/v1/events/KZ%2F..%2F",
        "/v1/events/%3Cscript%3E", "/v1/events/%27%20OR%201=1--", "/v1/events/%0d%0aX:%20a",
        "/v1/events/%E2%80%AEx", "/v1/events/-1", "/v1/events/null", "/v1/events/*",
        "/v1/events/{id}", "/v1/events/%25", "/v1/events/%zz", "/v1/events/%",
        "/v1/events/x/revisions", "/v1/events/kz-taliban-delisting-2023/revisions/0",
        "/v1/events/kz-taliban-delisting-2023/revisions/-1",
        "/v1/events/kz-taliban-delisting-2023/revisions/2",
        "/v1/events/kz-taliban-delisting-2023/revisions/x",
        "/v1/events/kz-taliban-delisting-2023/revisions/%D9%A1",
        "/v1/events/kz-taliban-delisting-2023/revisions/2147483648",
        "/v1/events/kz-taliban-delisting-2023/revisions/" + "9" * 200, "/v1/parties/nobody",
        "/v1/parties/kz", "/v1/parties/%27", "/v1/regimes/NONE", "/v1/regimes/ru-ufl",
        "/v1/measures/none", "/v1/territories/ZZ", "/v1/territories/kz",
        "/v1/territories/__class__", "/v1/vocabulary/none", "/v1/vocabulary/__class__",
        "/v1/nothing", "/admin", "/.env", "/.git/config", "/wp-login.php", "/robots.txt/x",
        "/docs/", "/docs/oauth2-redirect", "/redoc", "/openapi.yaml", "/swagger.json", "/metric",
        "/static", "/static/", "/static/nothing", "/static/../page.py", "/static/%2e%2e/page.py",
        "/static/..%2fpage.py", "/static/%2e%2e%2f%2e%2e%2fsettings.py", "/static//etc/passwd",
        "/static/..%5c..%5csettings.py", "/static/%252e%252e/page.py", "/static/swagger-ui",
        "/static/swagger-ui/", "/static/" + "a" * 300, "/static/" + "a/" * 2_000,
        "/static/pages.css/", "/static/pages.css%20", "/static/./pages.css/x",
        "/events/no-such-event", "/events/%3Cscript%3Ealert(1)%3C%2Fscript%3E", "/measures/none",
        "/measures/%22%3E%3Cimg%20src=x%3E", "/timeline/", "/positions/x", "/events/", "/events",
    )
]  # fmt: skip
UNREADABLE_PATHS = [
    Case(f"{path} is {label}", get(path + value), (400,), code="malformed-url")
    for path in ("/", "/v1/events/", "/events/", "/static/", "/v1/territories/")
    for label, value in UNREADABLE.items()
]
LONG = [
    *(
        Case(f"too long: {path}", get(path + "a" * (LONGEST_URL + 1 - len(path))), (414,),
             code="url-too-long")
        for path in ("/", "/v1/events/", "/v1/events?q=", "/v1/events?country=", "/v1/events?x=",
                     "/timeline?q=", "/static/")
    ),
    Case("far too long", get("/v1/events?q=" + "a" * 200_000), (414,), code="url-too-long"),
    Case("far too long a write", request("POST", "/v1/events?" + "a" * 70_000, body=b"{}"), (414,),
         code="url-too-long"),
    Case("10,000 parameters", get("/v1/events?" + "&".join(["a=1"] * 10_000)), (414,),
         code="url-too-long"),
    Case("as many parameters as there is room for", get(
        "/v1/events?" + "&".join(f"a{n}=" for n in range(4_500))), (422,)),
    Case("one parameter as often as there is room for", get(
        "/v1/events?" + "&".join(["x="] * 10_000)), (422,), "x"),
    Case("unreadable parameters", get("/v1/events?" + "&".join(["a=%00"] * 5_000)), (422,)),
    # Each name that isn't known is looked for among the similar ones, which takes its time.
    *(
        Case(f"{path}: as many times {name} as there is room for", get(
            f"{path}?" + "&".join(f"{name}=Kaz{n}" for n in range(2_000))), (422,), name)
        for path, name in (
            ("/v1/events", "country"), ("/v1/events", "party"), ("/v1/events", "measure"),
            ("/v1/events", "regime"), ("/v1/events.csv", "actor"), ("/v1/positions", "subject"),
            ("/timeline", "party"), ("/positions", "actor"),
        )
    ),
    Case("the same name as often as there is room for", get(
        "/v1/events?" + "&".join(["country=KZ"] * 2_900)), (200,)),
    Case("the same word as often as there is room for", get(
        "/v1/events?" + "&".join(["status=proposed"] * 2_000)), (200,)),
    Case("the same facet as often as there is room for", get(
        "/v1/facets?" + "&".join(["by=year"] * 3_000)), (200,)),
]  # fmt: skip
PAGES = [
    Case(f"{page}: {name} is {label}", asking(page, name, value), (422,))
    for page, name in (("/timeline", "country"), ("/timeline", "date_from"), ("/timeline",
    "status"),
                       ("/positions", "actor"), ("/positions", "as_of"), ("/timeline", "embed"))
    for label, value in ACTIVE.items()
    if name == "country" or label in SOME
]  # fmt: skip

ADDRESSES = {
    "unreadable queries": UNREADABLE_QUERIES,
    "texts in queries": TEXT_QUERIES,
    "values in queries": VALUE_QUERIES,
    "cursors": CURSORS,
    "unknown parameters": UNKNOWN,
    "unknown parameters elsewhere": UNKNOWN_ELSEWHERE,
    "other operations": ELSEWHERE,
    "paths that lead nowhere": NOTHING_HERE,
    "unreadable paths": UNREADABLE_PATHS,
    "long addresses": LONG,
    "pages": PAGES,
}
