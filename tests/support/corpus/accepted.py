"""What is odd and yet in order: all of it must be accepted, kept as it was sent, and read back."""

import json
from typing import Any
from urllib.parse import quote

from tests.support.corpus.cases import (
    AS_ADMIN,
    AS_EDITOR,
    CURSOR,
    JSON,
    LINES,
    PATCH,
    TAG,
    Case,
    chunked,
    get,
    raw,
    request,
    sending,
)
from tests.support.factories import SOURCE, facts
from tests.support.hostile import TEXTS

MIB = 1_048_576
RECORDED = (200, 201)
"""A case may be tried again: what is there already changes nothing."""

TITLES = {
    **TEXTS,
    "right to left": "كازاخستان ترفع «طالبان» من القائمة (٢٠٢٣)", "hebrew": "קזחסטן: הרשימה",
    "mixed directions": "Taliban (طالبان) — \u2066DAB\u2069 \u200fRLM\u200e",
    "devanagari": "क़ज़ाख़स्तान", "thai": "คาซัคสถาน",
    "han": "哈萨克斯坦将塔利班除名", "hangul": "카자흐스탄",
    "flags": "🇰🇿🇦🇫🏴󠁧󠁢󠁳󠁣󠁴󠁿", "family": "👩‍👩‍👧‍👦 👨🏿‍⚖️ ❤️‍🔥", "joiners": "می‌خواهم ක්‍ෂ",
    "combining": "Ka\u0308zachsta\u0301n", "decomposed": "Se\u0301ne\u0301gal",
    "stacked": "Z" + "\u0335\u0321\u0348" * 100,
    "apostrophes": "O’Brien, N'Djamena, Côte d’Ivoire, Qur'an, ʻAlī", "astral": "𝔎𝔞𝔷 𐎠𐎡 🀄",
    "private": "\ue000\uf8ff\U000f0000", "soft hyphen": "Ka\u00adzakh\u200bstan\u2060",
    "nbsp": "a\u00a0b\u3000c", "line separators": "a\u2028b\u2029c\x85d",
    "backslashes": "\\ \\n \\u0000 C:\\x", "percent": "100 % %s %00", "quotes": "\"' ` «» „“ ''",
    "braces": "{{7*7}} ${7*7} {% x %} <%= x %>", "SQL": "'; DROP TABLE event; --",
    "html": "<b>&lt;script&gt;</b><img src=x onerror=alert(1)>", "comment": "<!-- --> ]]> --!>",
    "csv": 'a,b;c\td|e"f', "one sign": "!", "number": "2024", "null": "null",
    "space inside": "a  b", "space around": " a ", "digits": "٢٠٢٤ ２０２４ ²",
    "ligatures": "ﬁ ﷺ ㎏",
    "zwnbsp": "a\ufeffb", "replacement": "\ufffd", "longest": "ж" * 500,
    "longest of astral": "𝔎" * 500, "musical": "𝄞♯",
}  # fmt: skip
WEB_ADDRESSES = (
    "http://a.example", "https://a.example/", "HTTPS://A.EXAMPLE/X",
    "https://a.example:8443/x?y=z#w", "https://правительство.рф/документы?год=2024",
    "https://xn--p1ai.example/", "https://例え.jp/テスト", "https://www.müller.example/straße",
    "http://127.0.0.1:1/x", "http://[2001:db8::1]:8080/x", "http://localhost/",
    "https://a.example/%D0%BA%D0%B7", "https://a.example/a%20b?c=%26",
    "https://a.example/x;y=1,2(3)'4!*$", "https://a.example/?q=a+b&&c=&=d", "https://a.example/#",
    "https://a.example/?x=<script>", "https://web.archive.org/web/2024/https://b.example/",
    "http://a/", "https://a.example/" + "x" * (2_048 - len("https://a.example/")),
    "https://a.example/~x/../y/./z//w", "https://a.example./", "https://a-b.c_d.example/",
    "https://a.example/\U0001f1f0\U0001f1ff",
)  # fmt: skip
EDTF = (
    "2024-12-22", "2024-08", "2021", "1000", "2999-12-31", "2024-02-29", "2023-12~", "2021?",
    "2024%", "2024-12-22~", "../2024-12", "/2024-12", "2024-01/..", "2024-01/", "2023-12/2024-06",
    "2023-12~/2024-06?", "2024-12-22/2024-12-22", "2023/2024-06-30", "1000/2999",
)  # fmt: skip


def recording(name: str, **changes: Any) -> Case:
    """Return a case of an event that is in order."""
    id_ = "corpus-" + "".join(c if c.isascii() and c.isalnum() else "-" for c in name.lower())
    id_ = "-".join(part for part in id_.split("-") if part)[:100].rstrip("-")
    return Case(
        f"recorded: {name}", sending("PUT", f"/v1/events/{id_}", facts(**changes)), RECORDED
    )


def texts(text: str) -> dict[str, Any]:
    """Return an event that has a text wherever there may be one."""
    return {
        "title": text, "summary": text, "place": text, "note": text,
        "participants": [
            {"party": "KZ", "role": "actor", "organ": text, "person": text},
            {"party": "taliban", "role": "subject"},
        ],
        "sources": [SOURCE | {"title": text, "quote": text, "publisher": text}],
    }  # fmt: skip


EVENTS = [
    *(recording(f"text {name}", **texts(text)) for name, text in TITLES.items()),
    *(recording(f"address {n}", sources=[{"url": url, "archived": url}])
      for n, url in enumerate(WEB_ADDRESSES)),
    *(recording(f"date {n}", dates={"effective": date}) for n, date in enumerate(EDTF)),
    recording("all dates", dates=dict.fromkeys(
        ("occurred", "announced", "adopted", "signed", "effective", "effective_until"), "2024~")),
    recording("summary of lines", summary="a\r\nb\rc\n\n\td\n"),
    recording("summary empty", summary=""),
    recording("longest summary", summary="ж" * 20_000),
    recording("longest quotation", sources=[SOURCE | {"quote": "ж" * 2_000}]),
    recording("source without address", sources=[{"title": "A gazette", "quote": "No. 5"}]),
    recording("fifty of each", participants=[
        {"party": "KZ", "role": "actor"},
        *({"party": "taliban", "role": "subject", "person": f"p {n}"} for n in range(49))],
        sources=[SOURCE | {"title": f"t {n}"} for n in range(50)],
        relations=[{"type": "cites", "event": "kz-taliban-delisting-2023"}] * 50),
    recording("the same party twice", participants=[
        {"party": "KZ", "role": "actor"}, {"party": "KZ", "role": "subject"}] * 2),
    recording("nulls", regime=None, measure=None, place=None, note=None),
    recording("languages", sources=[
        SOURCE | {"language": language} for language in ("en", "kk-Cyrl", "zh-Hant-TW", "gsw",
        "EN")]),
    recording("derived members", direction="tightening", date="2000", date_basis="signed",
    revision=99,
              earliest=None, latest="x", recorded_at="x", updated_at=5),
    recording("longest measure", measure="a" * 100, regime="KZ-NLTO"),
    Case("recorded: the longest id", sending("PUT", "/v1/events/" + "a" * 100, facts()), RECORDED),
    Case("recorded: the shortest id", sending("PUT", "/v1/events/0", facts()), RECORDED),
    Case("recorded: an encoded id", sending("PUT", "/v1/events/corpus%2Dencoded", facts()),
    RECORDED),
    Case("recorded: its own id in the body", sending(
        "PUT", "/v1/events/corpus-own", facts(id="corpus-own")), RECORDED),
]  # fmt: skip

GOOD = json.dumps(facts()).encode()
WRITES = [
    *(
        Case(f"Content-Type {kind!r}", sending("PUT", "/v1/events/corpus-typed", GOOD, kind),
        RECORDED)
        for kind in (
            "application/json;charset=utf-8", 'application/json; charset="UTF-8"',
            "APPLICATION/JSON", "application/json ; Charset=Utf-8", "application/json;",
            "application/json;version=1;x=y", "application/json; charset=utf-8; charset=utf-8",
            "\tapplication/json",
        )
    ),
    *(
        Case(f"body {label}", sending("PUT", "/v1/events/corpus-body", made), RECORDED)
        for label, made in {
            "with a BOM": b"\xef\xbb\xbf" + GOOD, "with blanks": b" \r\n\t" + GOOD + b"\n\n ",
            "of a MiB": GOOD.ljust(MIB),
        }.items()
    ),
    *(
        Case(f"chunks of {size}", chunked("PUT", "/v1/events/corpus-chunks", [
            GOOD[n : n + size] for n in range(0, len(GOOD), size)]), RECORDED)
        for size in (1, 7, 4_096)
    ),
    Case("chunks with extensions", request("PUT", "/v1/events/corpus-chunks", {
        **AS_EDITOR, "Content-Type": JSON, "Transfer-Encoding": "Chunked"})
        + b'%X;a=b;c="d e"\r\n%s\r\n0;x\r\n\r\n' % (len(GOOD), GOOD), RECORDED),
    Case("chunks with a trailer", chunked(
        "PUT", "/v1/events/corpus-chunks", [GOOD], b"0\r\nX-Sum: a\r\n\r\n"), RECORDED),
    Case("a length in leading zeros", raw(
        f"PUT /v1/events/corpus-zeros HTTP/1.1\nAuthorization: Bearer @EDIT@\n"
        f"Content-Type: {JSON}\nContent-Length: 000{len(GOOD)}", GOOD), RECORDED),
    Case("Expect: 100-continue", sending(
        "PUT", "/v1/events/corpus-expect", GOOD, Expect="100-Continue"), RECORDED),
    Case("Content-Encoding: identity", sending(
        "PUT", "/v1/events/corpus-identity", GOOD, Content_Encoding="identity"), RECORDED),
    Case("the scheme of a key in another case", sending(
        "PUT", "/v1/events/corpus-scheme", GOOD, who={"Authorization": "bEARER @EDIT@"}), RECORDED),
    Case("names of headers in another case", sending(
        "PUT", "/v1/events/corpus-names", GOOD, who={"aUTHORIZATION": "Bearer @EDIT@"}), RECORDED),
    Case("If-None-Match: * where nothing is", sending(
        "PUT", "/v1/events/corpus-new", GOOD, If_None_Match="*"), (201, 412)),
    Case("HTTP/1.0", raw(
        f"PUT /v1/events/corpus-old HTTP/1.0\nAuthorization: Bearer @EDIT@\nContent-Type: {JSON}\n"
        f"Content-Length: {len(GOOD)}", GOOD), RECORDED),
    Case("recorded without an id", sending("POST", "/v1/events", facts(title="💥 !")), (201,)),
    Case("recorded with an id that is passed over", sending(
        "POST", "/v1/events", facts(id="KZ/1")), (201,)),
    *(
        Case(f"Idempotency-Key of {len(key)}", sending(
            "POST", "/v1/events", facts(title="Once"), Idempotency_Key=key), (201,))
        for key in ("x", "x" * 255, "0d3f5c1e-6a5b-4c1c-9d55-3e7c5a7f0f11", "a b", '"quoted"', "*")
    ),
    *(
        Case(f"correction {label}", sending(
            "PATCH", "/v1/events/ru-taliban-suspension-2025", made, kind, If_Match=seen), (200,))
        for label, made, kind, seen in (
            ("as a merge patch", {"place": "Moscow"}, PATCH, "*"),
            ("as JSON", {"place": "Moscow"}, JSON, "*"),
            ("with a parameter", {"place": "Moscow"}, f"{PATCH}; charset=UTF-8", "*"),
            ("in another case", {"place": "Moscow"}, PATCH.upper(), "*"),
            ("of nothing", {}, PATCH, "*"),
            ("with null for what isn't there", {"place": None}, PATCH, "*"),
            ("with a note alone", {"note": "Looked at again."}, PATCH, "*"),
            ("of what follows", {"direction": "neutral", "revision": 7}, PATCH, "*"),
            ("with its id", {"id": "ru-taliban-suspension-2025"}, PATCH, "*"),
            ("with the tag", {"place": "Moscow (court)"}, PATCH, TAG),
            ("with the tag among others", {"place": None}, PATCH, f'"a", {TAG} ,"b"'),
        )
    ),
    Case("replaced with the tag", sending(
        "PUT", "/v1/events/ru-putin-taliban-allies-2024", facts(), If_Match="*"), (200,)),
    Case("a party", sending("PUT", "/v1/parties/corpus-party", {
        "name": "Зонтик «☂» ltd. & O’Brien", "kind": "organisation", "country": "KZ",
        "aliases": ["مظلة", "☂", "a" * 500, "=1+1"]}), RECORDED),
    Case("a party without a country", sending("PUT", "/v1/parties/0", {
        "name": "0", "kind": "person"}), RECORDED),
    Case("a party of a bloc", sending("PUT", "/v1/parties/corpus-organ", {
        "name": "Organ", "kind": "intergovernmental", "country": "EU"}), RECORDED),
    Case("a regime", sending("PUT", "/v1/regimes/CORPUS-1", {
        "name": "Список <b>", "issuer": "KZ", "legal_basis": "§ 1", "removal": "—"}), RECORDED),
    Case("a key", sending("POST", "/v1/keys", {
        "name": "O’Brien 🗝️", "scopes": ["edit", "admin", "edit"], "expires_at": "2998-12-31"},
        who=AS_ADMIN), (201,)),
    Case("a key that expires at an instant", sending("POST", "/v1/keys", {
        "name": "x", "scopes": ["edit"], "expires_at": "2998-12-31T23:59:59.999999+14:00"},
        who=AS_ADMIN), (201,)),
    Case("the keys", request("GET", "/v1/keys?limit=200", AS_ADMIN), (200,)),
    Case("a file of lines", sending("POST", "/v1/imports", "\n\n".join(
        json.dumps({"id": f"corpus-row-{n}", **facts(title=title)}, ensure_ascii=n % 2 == 0)
        for n, title in enumerate(TITLES.values())) + "\r\n", LINES), (200,)),
    Case("a file of lines, tried", sending("POST", "/v1/imports?dry_run=true",
    "\ufeff" + json.dumps(
        {"id": "corpus-dry", **facts()}), "application/x-ndjson"), (200,)),
    Case("a file of nothing", sending("POST", "/v1/imports", "\n", LINES), (200,)),
    Case("a table", sending("POST", "/v1/imports?dry_run=false",
        "\ufeffid,kind,status,verification,title,dates.effective,participants.party,"
        'participants.role,sources.url\r\n"corpus-table",designation.list,in_effect,confirmed,'
        '"A ""title"",\nin two lines",2024,KZ|taliban,actor|subject,https://a.example/\r\n',
        "text/csv; charset=utf-8; header=present"), (200,)),
]  # fmt: skip

SHORT = "/v1/events?limit=2"
QUESTIONS = [
    *(
        Case(f"asked: {query}", get(f"/v1/events?{query}"), (200,))
        for query in (
            "", "&", "&&&", "country", "country=", "country=&status=&limit=&cursor=&q=", "q=%20",
            "country=Saudi+Arabia", "country=Saudi%20Arabia", "%63ountry=KZ", "country=%4b%5a",
            "country=kz", "country=Kz", "country=KAZ", "country=%20KZ%20", "country=KZ&country=KZ",
            "country=C%C3%B4te+d%27Ivoire", "country=C%C3%B4te+d%E2%80%99Ivoire",
            "country=Cote+d+Ivoire", f"country={quote('Казахстан')}",
            f"country={quote('КАЗАХСТАН')}", f"country={quote('السعودية')}",
            f"country={quote('哈萨克斯坦')}", "country=EU", "country=UN", "country=XK",
            "country=NA",
            "country=CN-XZ", "country=SUHH", "country=X-SO", "country=Guinea-Bissau",
            "country=T%C3%BCrkiye", "country=Tu%CC%88rkiye", "country=The+Netherlands",
            "country=U.S.A.", "country=u.k.", f"party={quote('Талибан')}",
            f"party={quote('طالبان')}", "party=taliban&party=hamas", "actor=AF", "subject=PS",
            "kind=designation", "kind=designation.delist&kind=mission", "status=in_effect",
            "verification=disputed", "direction=neutral", "regime=RU-UFL", "measure=ru-ufl-taliban",
            "date_from=2024", "date_from=2024-02&date_to=2024-02", "date_to=2024-02-29",
            "date_from=1000", "date_to=2999-12-31",
            "date_from=2024&date_to=2024&date_match=within&date_field=announced",
            "updated_since=2024-01-01", "updated_since=2024-01-01T10:00:00Z",
            "updated_since=2999-01-01", "updated_since=2024-01-01t10:00z",
            "updated_since=2024-01-01T10:00:00+05:30", "updated_since=2024-01-01T10:00:00%2B05:30",
            "updated_since=2024-01-01T10:00:00.123456-14:00", "known_at=2024-12-31",
            "known_at=1000-01-01", "known_at=2024-12-31&knowledge=announced",
            "known_at=2024-12-31T23:59:59%2B00:00&knowledge=recorded", "sort=oldest",
            "sort=recently_updated", "q=embassy&sort=relevance", "q=%22terrorist+list%22",
            "q=embassy+or+consulate", "q=-taliban", f"q={quote('طالبان')}", "q=a*",
            "q=%27%3B+DROP+TABLE", "q=<script>", "q=((a+%26+b)", "q=a:*%20<->%20!b",
            "q=" + "a" * 500, "q=" + "+".join(["a"] * 50), "q=" + quote("👨‍👩‍👧 x"), "limit=1",
            "limit=200", "limit=007", "limit=%2050", "include=total",
            "include=facets&include=total", "include=total&include=total", f"cursor={CURSOR}",
            f"cursor={CURSOR}&limit=200&include=total", "country=KZ&country=",
        )
    ),
    *(
        Case(f"read: {path}", get(path), (200,))
        for path in (
            "/v1/events.csv?country=KZ", "/v1/events.xlsx?country=KZ",
            "/v1/events.jsonl?country=KZ", "/v1/events.atom?country=KZ",
            "/v1/events.ics?country=KZ", "/v1/events.timelinejs.json?country=KZ",
            "/v1/events%2Ecsv?country=KZ", "/v1/facets", "/v1/facets?by=",
            "/v1/facets?by=year&by=month&by=country", "/v1/positions?subject=taliban",
            "/v1/positions?actor=KZ&subject=taliban&as_of=2999-12-31",
            "/v1/positions?actor=KZ&as_of=", "/v1/positions/history?actor=SA&from=2021&to=2024-06",
            "/v1/positions.csv?subject=taliban", "/v1/positions.xlsx?subject=taliban",
            "/v1/positions.jsonl?subject=taliban", "/v1/measures", "/v1/territories?limit=200",
            "/v1/territories?q=stan", f"/v1/territories?q={quote('стан')}", "/v1/parties?q=taliban",
            "/v1/regimes", "/v1/vocabulary", "/v1/vocabulary/kind", "/v1/changes",
            "/v1/changes?since=0&limit=1", "/v1/changes?since=9223372036854775807", "/v1/columns",
            "/v1/imports/template.csv", "/openapi.json", "/openapi-docs.json", "/docs",
            "/docs/editor", "/docs?country=KZ&kind=designation.delist",
            "/timeline?country=KZ&embed=1", "/timeline?q=%3Cscript%3E", "/positions",
            "/positions?subject=taliban", "/livez", "/readyz", "/events/kz-taliban-delisting-2023",
            "/measures/ru-ufl-taliban", "/favicon.ico", "/static/pages.css",
            "/static/swagger-ui/swagger-ui.css?v=1", "/v1/events/kz-taliban-delisting-2023",
            "/v1/events/kz%2Dtaliban%2Ddelisting%2D2023",
            "/v1/events/kz-taliban-delisting-2023/revisions",
            "/v1/events/kz-taliban-delisting-2023/revisions/1",
            "/v1/events/kz-taliban-delisting-2023/revisions/01", "/v1/parties/taliban",
            "/v1/regimes/RU-UFL", "/v1/measures/ru-ufl-taliban", "/v1/territories/CN-XZ",
            "/v1/events/kz-taliban-delisting-2023?known_at=",
        )
    ),
    *(
        Case(f"led: {path}", get(path), (302, 303, 307, 308))
        for path in ("/", "/timeline?country=KZ&status=&q=")
    ),
    *(
        Case(f"HEAD {path}", request("HEAD", path), (200,))
        for path in (
            "/v1/events", "/v1/events/kz-taliban-delisting-2023", "/v1/events.csv",
            "/v1/events.xlsx", "/v1/events.jsonl", "/v1/events.atom", "/v1/events.ics",
            "/v1/events.timelinejs.json", "/v1/facets", "/v1/positions?subject=taliban",
            "/v1/positions/history?subject=taliban", "/v1/positions.csv?subject=taliban",
            "/v1/positions.xlsx?subject=taliban", "/v1/measures", "/v1/territories", "/v1/parties",
            "/v1/regimes", "/v1/vocabulary", "/v1/changes", "/v1/changes/stream", "/v1/columns",
            "/v1/imports/template.csv", "/livez", "/readyz", "/docs", "/openapi.json", "/timeline",
            "/positions", "/static/pages.css", "/favicon.ico", "/events/kz-taliban-delisting-2023",
        )
    ),
    *(
        Case(f"HTTP/1.0 {path}", raw(f"GET {path} HTTP/1.0"), (200,))
        for path in ("/v1/events?country=KZ", "/v1/events.csv?country=KZ",
        "/v1/events.jsonl?country=KZ",
                     "/v1/events.ics", "/v1/events.xlsx?country=KZ", "/timeline",
                     "/static/pages.css")
    ),
    Case("HTTP/1.0 without Host", b"GET /v1/events?limit=1 HTTP/1.0\r\n\r\n", (200,)),
    Case("HTTP/1.0 that stays", raw("GET /livez HTTP/1.0\nConnection: keep-alive"), (200,)),
    # RFC 9112, section 3.2.2: every server takes it, and goes by it rather than by Host.
    *(
        Case(f"absolute-form {target}", raw(f"GET {target} HTTP/1.1\nHost: other.example"), (200,))
        for target in ("http://register.example/v1/events?limit=1", "HTTP://register.example/livez",
                       "https://register.example:8443/livez", "http://[::1]/livez",
                       "http://register.example/livez?")
    ),
    Case("absolute-form without a path", raw(
        "GET http://register.example HTTP/1.1\nHost: register.example"), (302, 303, 307)),
]  # fmt: skip

IN_ORDER = {"events in order": EVENTS, "writes in order": WRITES, "questions in order": QUESTIONS}
