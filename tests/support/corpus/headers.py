"""Headers that say something: conditions, what is accepted, where from, who."""

from tests.support.corpus.cases import (
    ADMIN,
    EDIT,
    JSON,
    TAG,
    Case,
    get,
    request,
    sending,
)

EVENT = "/v1/events/kz-taliban-delisting-2023"
EVENTS = "/v1/events?limit=1"

# RFC 9110, section 13.1.2; the comparison is the weak one.
CONDITIONS = [
    *(
        Case(f"If-None-Match: {sent}", get(EVENT, If_None_Match=sent), (304,))
        for sent in (TAG, f"W/{TAG}", f'"a", {TAG}', f'{TAG},"a"', f'"a" ,  W/{TAG} , "b"', "*",
                     f",, {TAG},,", f" {TAG} ")
    ),
    *(
        Case(f"If-None-Match: {sent[:40]!r}", get(EVENT, If_None_Match=sent), (200,))
        for sent in (
            '""', '"', "x", "W/", 'W/"x"', '"a", "b"', ",", ",,,", "", " ", '"a" "b"', "'a'",
            "null", "0", "\xe9", '"\xff"', '"*"', f"w/{TAG}", f"x{TAG}", f"{TAG}x", TAG[1:-1],
            ", ".join(f'"{n}"' for n in range(500)), '"' + "a" * 7_000,
        )
    ),
    Case("If-None-Match, on several lines", request(
        "GET", EVENT, [("If-None-Match", '"a"'), ("If-None-Match", TAG)]), (304,)),
    Case("If-None-Match of a list", get("/v1/territories", If_None_Match="*"), (304,)),
    Case("If-None-Match of a file", get("/v1/events.csv", If_None_Match="*"), (304,)),
    Case("If-None-Match of a page", get("/timeline", If_None_Match="*"), (304,)),
    Case("If-None-Match of what isn't there", get("/v1/events/none", If_None_Match="*"), (404,)),
    Case("If-None-Match of what can't be understood", get(
        "/v1/events?x=1", If_None_Match="*"), (422,)),
    # Answers carry no Last-Modified, so there is nothing to compare (section 13.1.3).
    *(
        Case(f"If-Modified-Since: {sent}", get(EVENT, If_Modified_Since=sent), (200,))
        for sent in ("Tue, 01 Jan 2999 00:00:00 GMT", "yesterday", "", "0", "2024-12-22", "\xe9")
    ),
    Case("If-Unmodified-Since", get(EVENT, If_Unmodified_Since="Tue, 01 Jan 1980 00:00:00 GMT"),
         (200, 412)),
    Case("If-Match on a read", get(EVENT, If_Match='"other"'), (200, 412)),
    # Nothing here answers ranges (section 14.2).
    *(
        Case(f"Range: {sent[:40]} of {path}", get(path, Range=sent, If_Range='"a"'), (200,))
        for path in (EVENTS, "/static/pages.css", "/v1/events.csv")
        for sent in ("bytes=0-9", "bytes=-1", "bytes=9-0", "bytes=0-0,2-2", "lines=1-2", "bytes=",
                     "bytes=0-" + "9" * 500, "bytes=" + ",".join(["0-"] * 1_000), "\xe9")
    ),
]  # fmt: skip

# What can't be met is answered as it is (section 12.5.1): the address says the form.
ACCEPTED = [
    *(
        Case(f"Accept: {sent[:40]}", get(EVENTS, Accept=sent), (200,))
        for sent in (
            "*/*", "*/*;q=0.1", "application/json", "application/*", "text/html", "image/png",
            "text/html,application/xhtml+xml,*/*;q=0.8", "application/json;q=0", "", ";", ",,",
            "a/b/c", "*/json", "application/json; charset=utf-16", "q=1", "application/json;q=x",
            "\xe9", "application/" + "a" * 5_000, ", ".join(f"a/b{n}" for n in range(900)),
            "<script>alert(1)</script>", "../../etc/passwd",
        )
    ),
    *(
        Case(f"Accept-Encoding: {sent}", get("/v1/events", Accept_Encoding=sent), (200,))
        for sent in (
            "gzip", "GZIP", "gzip, deflate, br, zstd", "gzip;q=1.0", "gzip ; q=0.5", "*",
            "identity", "gzip;q=0", "gzip;q=0.0, identity", "gzip; q=0.000", "*;q=0",
            "identity;q=0", "x-gzip", "gzippy", "notgzip", "br", "", ",", "gzip;q=x", "\xe9",
            "deflate;q=gzip",
        )
    ),
    *(
        Case(f"Accept-Language: {sent[:40]}", get(EVENTS, Accept_Language=sent), (200,))
        for sent in ("ru, en;q=0.5", "x" * 5_000, "*;q=x", "\xe9", "../../", "")
    ),
    *(
        Case(f"Accept-Charset: {sent}", get(EVENTS, Accept_Charset=sent), (200,))
        for sent in ("utf-16", "*;q=0", "\xe9")
    ),
]  # fmt: skip

ORIGINS = [
    *(
        Case(f"Origin: {sent}", get(EVENTS, Origin=sent), (200,))
        for sent in ("https://newsroom.example", "null", "file://", "https://evil.example", "x", "",
                     "https://a.example https://b.example", "<script>", "\xe9", "*")
    ),
    *(
        Case(f"preflight for {method} with {headers[:30]!r}", request("OPTIONS", EVENTS, {
            "Origin": "https://newsroom.example", "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": headers,
        }), (200, 204))
        for method in ("GET", "DELETE", "get", "", "FOO", "\xe9")
        for headers in ("If-None-Match", "authorization, content-type", "*", ",", "x" * 3_000)
    ),
    *(
        Case(f"OPTIONS {path}", request("OPTIONS", path), (200, 204))
        for path in (
            "/v1/events", "/v1/events/x", "/v1/events/x/retract", "/v1/imports", "/v1/keys",
            "/v1/keys/x", "/v1/facets", "/v1/changes/stream", "/v1/parties/KZ", "/livez", "/docs",
            "/timeline", "/", "/openapi.json", "/static/pages.css", "/v1/events.xlsx",
        )
    ),
    # The server as a whole (section 9.3.7).
    Case("OPTIONS *", request("OPTIONS", "*"), (200, 204)),
    Case("OPTIONS with a body", request("OPTIONS", EVENTS, body=b"{}"), (200, 204)),
    Case("OPTIONS with a parameter that doesn't exist", request("OPTIONS", "/v1/events?x=1"),
         (200, 204)),
    *(
        Case(f"OPTIONS {path}", request("OPTIONS", path), (404,), code="not-found")
        for path in ("/v1/nothing", "/v1/events/", "/v2", "/statics")
    ),
    Case("OPTIONS that can't be read", request("OPTIONS", "/v1/events?country=%ff"), (422,)),
]  # fmt: skip

# Who speaks for somebody else isn't believed in what is answered, and breaks nothing.
HEARSAY = [
    *(
        Case(f"{name}: {value[:40]!r}", request("GET", EVENTS, {name: value}), (200,))
        for name, value in (
            ("X-Forwarded-Host", "evil.example"), ("X-Host", "evil.example"),
            ("Forwarded", "host=evil.example;proto=https;for=evil"), ("X-Original-URL", "/v1/keys"),
            ("X-Rewrite-URL", "/v1/keys"), ("X-Forwarded-Prefix", "/evil"),
            ("X-Forwarded-Proto", "javascript"), ("X-Forwarded-Proto", "https, http"),
            ("X-Forwarded-Proto", "\xe9"), ("X-Forwarded-For", "<script>"),
            ("X-Forwarded-For", "1.2.3.4, 5.6.7.8"), ("X-Forwarded-For", "\xe9"),
            ("X-Forwarded-For", ",".join(["1.1.1.1"] * 900)), ("X-Forwarded-For", "::1%lo"),
            ("X-Forwarded-Port", "x"), ("X-Real-IP", "127.0.0.1"), ("Via", "1.0 evil"),
            ("Referer", "javascript:alert(1)"), ("User-Agent", "() { :; }; echo x"),
            ("User-Agent", "${jndi:ldap://127.0.0.1:1/a}"), ("User-Agent", "x" * 5_000),
            ("Cookie", "a=b; ;; =; \xe9"), ("Cookie", "x" * 5_000), ("DNT", "2"),
            ("Cache-Control", "no-store, max-age=x"), ("Pragma", "no-cache"), ("Max-Forwards",
            "-1"),
            ("Content-Type", "application/json"), ("Content-Type", "\xe9"), ("From", "x"),
            ("Content-Encoding", "gzip"), ("Date", "x"), ("Priority", "u=9"), ("Sec-Fetch-Site",
            "x"),
            ("Traceparent", "x"), ("X-Request-ID", "x" * 5_000), ("Idempotency-Key", ""),
            ("Chancery-Change", "x"), ("Chancery-Change", "-1"), ("Chancery-Change", "1"),
            ("Chancery-Change", "999999999999"), ("Chancery-Change", "9" * 300),
            ("Chancery-Change", ""), ("Chancery-Change", "\xe9"), ("Last-Event-ID", "x"),
            ("Authorization", "Basic eDp5"), ("Authorization", "Bearer nonsense"),
        )
    ),
    Case("two Chancery-Changes", request(
        "GET", EVENTS, [("Chancery-Change", "1"), ("Chancery-Change", "x")]), (200,)),
    *(
        Case(f"Last-Event-ID: {sent[:40]!r}", get("/v1/changes/stream", Last_Event_ID=sent), (422,))
        for sent in ("x", "-1", "1.5", "9223372036854775808", "9" * 500, "1 2", "\xe9", "\xb2")
    ),
]  # fmt: skip

# 401 without or with a bad key, before anything else of the request is looked at.
UNKNOWN_KEY = "chancery_nothing0_" + "0" * 43
KEYLESS = [
    *(
        Case(f"{method} {path[:40]} without a key", request(
            method, path, {"Content-Type": kind}, body), (401,), code="unauthenticated")
        for method, path, kind, body in (
            ("POST", "/v1/events", JSON, b"{}"), ("POST", "/v1/events", "text/plain", b"x"),
            ("POST", "/v1/events", JSON, b"{"), ("POST", "/v1/events?x=1", JSON, b"{}"),
            ("POST", "/v1/events", JSON, b" " * 1_100_000), ("POST", "/v1/events", "", b""),
            ("PUT", "/v1/events/UPPER", JSON, b"{}"), ("PUT", "/v1/events/x?x=1", JSON, b"{}"),
            ("PATCH", "/v1/events/none", JSON, b"{}"), ("PATCH", EVENT, JSON, b"[]"),
            ("POST", "/v1/events/none/retract", JSON, b"{}"), ("POST", f"{EVENT}/merge", JSON,
            b"\xff"),
            ("POST", f"{EVENT}/restore", JSON, b""), ("POST", "/v1/imports", "text/csv", b"x"),
            ("POST", "/v1/imports?dry_run=x", "image/png", b"x"), ("PUT", "/v1/parties/x", JSON,
            b"{}"),
            ("PUT", "/v1/regimes/X", JSON, b"{}"), ("GET", "/v1/keys", "", None),
            ("GET", "/v1/keys?limit=0", "", None), ("HEAD", "/v1/keys", "", None),
            ("GET", "/v1/keys/none", "", None), ("POST", "/v1/keys", JSON, b"{}"),
            ("DELETE", "/v1/keys/none", "", None),
        )
    ),
    *(
        Case(f"Authorization: {sent[:40]!r}", sending(
            "POST", "/v1/events", b"{}", who={"Authorization": sent}), (401,),
            code="unauthenticated")
        for sent in (
            "", "Bearer", "Bearer ", "Basic eDp5", "Digest x", f"Token {EDIT}", EDIT,
            f"Bearer{EDIT}", f'Bearer "{EDIT}"', f"Bearer {EDIT}x", f"Bearer {EDIT} {EDIT}",
            f"Bearer {EDIT},{EDIT}", f"Bearer {UNKNOWN_KEY}", "Bearer chancery_",
            "Bearer " + "x" * 6_000, "Bearer \xe9", "Bearer null", "Bearer ' OR 1=1--",
            "Bearer eyJhbGciOiJub25lIn0.e30.", f"Basic {EDIT}",
        )
    ),
    Case("two keys", sending("POST", "/v1/events", b"{}", who=[
        ("Authorization", f"Bearer {EDIT}"), ("authorization", f"Bearer {EDIT}")
    ]), (401,), code="unauthenticated"),
    Case("a key in the address", request(
        "POST", f"/v1/events?access_token={EDIT}", {"Content-Type": JSON}, b"{}"), (401,)),
    Case("a key in a cookie", sending(
        "POST", "/v1/events", b"{}", who={"Cookie": f"key={EDIT}"}), (401,)),
    *(
        Case(f"{method} {path} with the other scope", request(
            method, path, {"Authorization": f"Bearer {key}", "Content-Type": JSON}, body),
            (403,), code="forbidden")
        for method, path, key, body in (
            ("POST", "/v1/events", ADMIN, b"{"), ("PUT", "/v1/events/UPPER", ADMIN, b"{}"),
            ("PATCH", "/v1/events/none", ADMIN, b"{}"), ("POST", "/v1/imports", ADMIN, b"x"),
            ("GET", "/v1/keys", EDIT, None), ("GET", "/v1/keys?limit=0", EDIT, None),
            ("POST", "/v1/keys", EDIT, b"{"), ("DELETE", "/v1/keys/none", EDIT, None),
        )
    ),
]  # fmt: skip

HEADERS_SAID = {
    "conditions": CONDITIONS,
    "what is accepted": ACCEPTED,
    "origins": ORIGINS,
    "hearsay": HEARSAY,
    "keys": KEYLESS,
}
