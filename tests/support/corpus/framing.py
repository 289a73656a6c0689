"""The request line, the headers, and where a request ends: RFC 9110 and RFC 9112."""

from tests.support.corpus.cases import (
    AS_EDITOR,
    HOST,
    JSON,
    Case,
    chunked,
    get,
    raw,
    request,
    sending,
)

LIVE = "GET /livez HTTP/1.1"
WRITE = f"POST /v1/events HTTP/1.1\nAuthorization: Bearer @EDIT@\nContent-Type: {JSON}"
# A method that isn't known is a 501 at best, but a corpus without 5xx asks for less of it; the
# address takes another one, so that 405 is right too.
UNKNOWN_METHOD = (400, 405)

METHODS = [
    *(
        Case(f"method {method!r}", raw(f"{method} /v1/events HTTP/1.1"), UNKNOWN_METHOD)
        for method in ("get", "Get", "FOO", "GETT", "PRI", "X-GET", "G(T", "", "POSTGET", "A" * 300)
    ),
    *(
        Case(f"method {method}", request(method, "/v1/events"), (405,), code="method-not-allowed")
        for method in (
            "DELETE", "PATCH", "PUT", "TRACE", "PROPFIND", "MKCOL", "COPY", "LOCK", "SEARCH",
            "PURGE", "LINK", "REPORT", "QUERY",
        )
    ),
    *(
        Case(f"{method} {path}", request(method, path, body=b""), (405,), code="method-not-allowed")
        for method, path in (
            ("POST", "/livez"), ("DELETE", "/v1/facets"), ("POST", "/v1/territories"),
            ("PUT", "/v1/territories/KZ"), ("DELETE", "/v1/events/x"), ("POST", "/v1/events/x"),
            ("GET", "/v1/events/x/retract"), ("HEAD", "/v1/events/x/merge"), ("GET", "/v1/imports"),
            ("POST", "/timeline"), ("PUT", "/docs"), ("DELETE", "/static/pages.css"),
            ("POST", "/v1/changes"), ("PATCH", "/v1/parties/KZ"), ("POST", "/openapi.json"),
        )
    ),
    Case("a method that overrides another", request(
        "POST", "/v1/events/kz-taliban-delisting-2023", {"X-HTTP-Method-Override": "DELETE"}, b""
    ), (405,)),
]  # fmt: skip

# RFC 9112, section 3.
REQUEST_LINES = [
    *(
        Case(f"request line {line!r}", raw(line), (400,))
        for line in (
            "GET livez HTTP/1.1", "GET ?limit=1 HTTP/1.1", "GET  HTTP/1.1", "GET /livez",
            "GET /livez HTTP/1.2", "GET /livez HTTP/2.0", "GET /livez HTTP/3",
            "GET /livez HTTP/0.9", "GET /livez HTTP/11", "GET /livez HTTP/1,1",
            "GET /livez HTTP/1.1.1", "GET /livez HTTP/1", "GET /livez http/1.1",
            "GET /livez HTTX/1.1", "GET /livez HTCPCP/1.0", "GET /livez HTTP/1.1 x",
            "GET /a b HTTP/1.1", "GET\t/livez\tHTTP/1.1", "GET /livez\tHTTP/1.1",
            "GET /\0livez HTTP/1.1", "GET /livez?\0 HTTP/1.1", "GET /livez?\x7f HTTP/1.1",
            "GET /livez\rX HTTP/1.1", " GET /livez HTTP/1.1", "GET /livez# HTTP/1.1",
            "GET /v1/events?limit=1#top HTTP/1.1", "GET /#/livez HTTP/1.1",
            "GET ftp://register.example/livez HTTP/1.1", "GET file:///etc/passwd HTTP/1.1",
            "GET http:///livez HTTP/1.1", "GET http:/livez HTTP/1.1", "GET http://a b/ HTTP/1.1",
            "GET http://user:secret@register.example/livez HTTP/1.1",
            "GET register.example:80 HTTP/1.1", "GET {} HTTP/1.1", "GET \\livez HTTP/1.1",
        )
    ),
    *(
        Case(f"unencoded {place}", raw(b"GET %s HTTP/1.1" % target), (400,))
        for place, target in {
            "Cyrillic in a query": "/v1/events?country=Казахстан".encode(),
            "Cyrillic in a path": "/v1/events/казахстан".encode(),
            "Latin-1 in a query": b"/v1/events?country=C\xf4te",
            "emoji in a query": "/v1/events?q=🇰🇿".encode(),
        }.items()
    ),
    Case("GET of everything", raw("GET * HTTP/1.1"), (400, 404)),
    Case("CONNECT to elsewhere", raw("CONNECT evil.example:443 HTTP/1.1\nHost: evil.example"),
         (400, 405)),
    Case("CONNECT to an address of ours", raw("CONNECT /livez HTTP/1.1"), (400, 405)),
    Case("the beginning of TLS", bytes.fromhex("1603010200010001fc0303") + b"\0" * 40, (400,)),
    Case("the beginning of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400,)),
    Case("every byte there is", bytes(range(256)), (400,)),
    Case("a header without a request line", raw("Host: register.example"), (400,)),
    Case("lines that end in LF alone", b"GET /livez HTTP/1.1\nHost: a.example\n\n", (200, 400)),
    Case("a line of Redis", b"*1\r\n$4\r\nPING\r\n", (400,)),
    Case("a line of SSH", b"SSH-2.0-OpenSSH_9.2\r\n", (400,)),
]  # fmt: skip

# RFC 9112, section 5, and RFC 9110, section 5.5.
HEADERS = [
    *(
        Case(f"header {line!r}", raw(f"{LIVE}\n{line}"), (400,))
        for line in (
            "X", ": x", " X: a", "X : a", "X\t: a", "X y: a", "X\0: a", "X\xff: a", "(X): a",
            "X: a\0b", "X: a\x01b", "X: a\x7fb", "X: a\rb", "X: a\r\rb", "X: a\n b", "X: a\n\tb",
            "X: \n b",
        )
    ),
    Case("a header of strange bytes", raw(f"{LIVE}\nX: \xff\xfe\xe9"), (200,)),
    Case("an empty header", raw(f"{LIVE}\nX:"), (200,)),
    Case("a header of blanks", raw(f"{LIVE}\nX: \t "), (200,)),
    # Too large is a 431 (RFC 6585, section 5).
    Case("a header of 7 KB", raw(f"{LIVE}\nX: {'a' * 7_000}"), (200,)),
    Case("a header of 200 KB", raw(f"{LIVE}\nX: {'a' * 200_000}"), (431,)),
    Case("a hundred headers", raw(f"{LIVE}\n" + "\n".join(f"X{n}: a" for n in range(90))), (200,)),
    Case("2,000 headers", raw(f"{LIVE}\n" + "\n".join(f"X{n}: a" for n in range(2_000))), (431,)),
    Case("2,000 times the same header", raw(f"{LIVE}\n" + "\n".join(["X: a"] * 2_000)),
         (431,)),
    # A value that breaks out of its line would be another header: it is none, because of the CR.
    Case("a second request within a header", raw(f"{LIVE}\nX: a\r\r\nGET /readyz HTTP/1.1"),
         (400,)),
]  # fmt: skip

# RFC 9112, section 3.2.
HOSTS = [
    Case("no Host", b"GET /v1/events?limit=1 HTTP/1.1\r\n\r\n", (400,), code="invalid-host"),
    Case("two Hosts", raw(f"{LIVE}\nHost: {HOST}\nHost: evil.example"), (400,),
         code="invalid-host"),
    Case("the same Host twice", raw(f"{LIVE}\nHost: {HOST}\nHost: {HOST}"), (400,),
         code="invalid-host"),
    *(
        Case(f"Host {host!r}", raw(f"{LIVE}\nHost: {host}"), (400,), code="invalid-host")
        for host in (
            "", " ", "a b", "a,b", "a/b", "a?b", "a#b", "a@b", "u:p@a", "http://a", "a:b",
            "a:99999", "a:65536", "a:-1", "a:1:2", "[::1", "::1", "[::1]x", "[]", 'a"', "a'", "a<b",
            "a\\b", "{a}", "a;b", "a=b", "%61", "\xe9.example",
        )
    ),
    *(
        Case(f"Host {host!r}", raw(f"{LIVE}\nHost: {host}"), (200,))
        for host in (
            "a", "a.example", "A.EXAMPLE", "a.example.", "a.example:80", "a:65535", "127.0.0.1",
            "127.0.0.1:8000", "[::1]", "[::1]:8000", "[2001:DB8::1]", "xn--80ak6aa92e.example",
            "a_b", "localhost",
        )
    ),
]  # fmt: skip


def written(headers: str, body: bytes, expected: tuple[int, ...]) -> Case:
    """Return a case of a write with these headers about its length."""
    return Case(f"{headers!r}", raw(f"{WRITE}\n{headers}", body), expected)


# RFC 9112, section 6: what two readers could take for different lengths is refused.
LENGTHS = [
    written("Content-Length: 5\nTransfer-Encoding: chunked", b"0\r\n\r\n", (400,)),
    written("Transfer-Encoding: chunked\nContent-Length: 5", b"0\r\n\r\n", (400,)),
    written("Transfer-Encoding: chunked\nContent-Length: 0", b"2\r\n{}\r\n0\r\n\r\n", (400,)),
    *(
        written(f"Content-Length: {length}", b"{}", (400,))
        for length in (
            "2\nContent-Length: 3", "2\nContent-Length: 2", "2, 2", "2 2", "+2", "-1", "-2", "0x2",
            "2.0", "2e0", "", "two", "99999999999999999999999", "2;", "\xb2", "2_0",
        )
    ),
    *(
        written(f"Transfer-Encoding: {coding}", b"2\r\n{}\r\n0\r\n\r\n", (400,))
        for coding in (
            "xchunked", "identity", "chunked, gzip", "chunked, chunked", "gzip", "\x0bchunked",
            "chunked\nTransfer-Encoding: chunked", "chunked\nTransfer-Encoding: identity", "",
            "chunkedx", "chunked;q=1", "'chunked'",
        )
    ),
    written("Transfer-Encoding: gzip, chunked", b"2\r\n{}\r\n0\r\n\r\n", (400, 415, 422)),
    Case("chunks of HTTP/1.0", raw(
        f"POST /v1/events HTTP/1.0\nTransfer-Encoding: chunked\n{WRITE.partition(chr(10))[2]}",
        b"2\r\n{}\r\n0\r\n\r\n",
    ), (400, 422)),
    *(
        Case(f"chunk {chunk!r}", request("POST", "/v1/events", {
            **AS_EDITOR, "Content-Type": JSON, "Transfer-Encoding": "chunked"
        }) + chunk + b"\r\n{}\r\n0\r\n\r\n", (400,))
        for chunk in (
            b"zz", b"-2", b"+2", b"0x2", b" 2", b"", b"2 ", b"1", b"3", b"f" * 18, b"f" * 40,
            b"2\n", b"2\0", b"2;\0", b"\xd9\xa2", b"2\r",
        )
    ),
    Case("a chunked body without its end", chunked("POST", "/v1/events", [b"{}"], b""),
         (400,)).cut(),
    Case("a body that is cut off", raw(f"{WRITE}\nContent-Length: 100", b'{"title": '),
         (400,)).cut(),
    Case("a head that is cut off", f"{LIVE}\r\nHost: a.ex".encode(), (400,)).cut(),
    Case("a GET with a body", request("GET", "/livez", body=b"{}"), (200,)),
    Case("a DELETE of a key with a body", request(
        "DELETE", "/v1/keys/nothing0", {"Authorization": "Bearer @ADMIN@"}, b"{}"
    ), (404, 422)),
    # What comes behind the body is no header of the request (RFC 9110, section 6.5.1).
    Case("a key behind the body", request("POST", "/v1/events", {
        "Content-Type": JSON, "Transfer-Encoding": "chunked"
    }) + b"2\r\n{}\r\n0\r\nAuthorization: Bearer @EDIT@\r\n\r\n", (401,)),
    Case("a precondition behind the body", chunked(
        "PATCH", "/v1/events/kz-taliban-delisting-2023", [b'{"place": "x"}'],
        b"0\r\nIf-Match: *\r\n\r\n",
    ), (428,)),
    Case("a broken line behind the body",
         chunked("POST", "/v1/events", [b"{}"], b"0\r\nX\0: a\r\n\r\n"), (400,)),
    # What was announced isn't waited for: a client that sends nothing more has its answer.
    Case("a length beyond the cap, and little of it", raw(
        f"{WRITE}\nContent-Length: 9999999999", b"{}"
    ), (413,)).cut(),
    Case("a body that nobody is asked for and that isn't sent", raw(
        f"POST /v1/events HTTP/1.1\nContent-Length: 9\nContent-Type: {JSON}"
    ), (401,)).cut(),
]  # fmt: skip

# RFC 9110, sections 7.8 and 10.1.1; RFC 9112, section 9.
CONNECTIONS = [
    Case("Connection: close", get("/livez", Connection="close"), (200,)),
    Case("Connection: keep-alive", get("/livez", Connection="Keep-Alive"), (200,)),
    Case("an odd Connection", get("/livez", Connection="TE, , x; y, close-not"), (200,)),
    Case("Keep-Alive", get("/livez", Connection="keep-alive", Keep_Alive="timeout=99999"), (200,)),
    Case("an upgrade to HTTP/2", get(
        "/livez", Connection="Upgrade, HTTP2-Settings", Upgrade="h2c", HTTP2_Settings="AAMAAABk"
    ), (200,)),
    Case("an upgrade to TLS", get("/livez", Connection="Upgrade", Upgrade="TLS/1.0"), (200,)),
    Case("an upgrade to a web socket", get(
        "/v1/changes", Connection="Upgrade", Upgrade="websocket", Sec_WebSocket_Version="13",
        Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==",
    ), (200,)),
    Case("an upgrade of a write", sending(
        "POST", "/v1/events", b"{}", Connection="Upgrade", Upgrade="h2c"
    ), (422,)),
    Case("an upgrade of nothing", get("/livez", Connection="Upgrade"), (200,)),
    Case("Expect: something", get("/livez", Expect="200-ok"), (200, 417)),
    Case("Expect: 100-continue without a body", get("/livez", Expect="100-continue"), (200,)),
    Case("Expect: 100-continue, and the body", sending(
        "POST", "/v1/events", b"{}", Expect="100-continue"
    ), (422,)),
    # The body isn't sent, because the answer came instead of the wish for it.
    Case("Expect: 100-continue without a key", raw(
        f"POST /v1/events HTTP/1.1\nContent-Type: {JSON}\nContent-Length: 2\nExpect: 100-continue"
    ), (401,)),
    Case("Expect: 100-continue beyond the cap", raw(
        f"{WRITE}\nContent-Length: 2000000\nExpect: 100-continue"
    ), (413,)),
    Case("TE: trailers", get("/livez", TE="trailers, deflate;q=0.5"), (200,)),
    Case("empty lines before", b"\r\n\r\n" + get("/livez"), (200,)),
]  # fmt: skip

FRAMING = {
    "methods": METHODS,
    "request lines": REQUEST_LINES,
    "headers": HEADERS,
    "hosts": HOSTS,
    "lengths": LENGTHS,
    "connections": CONNECTIONS,
}
