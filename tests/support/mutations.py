"""Requests that are nearly the same: drawn at random, each as the bytes of one HTTP/1.1 message."""

from dataclasses import dataclass, field, replace
from random import Random
from urllib.parse import quote

Header = tuple[str, str]

TARGETS = (
    "/v1/events?limit=1",
    "/v1/events?country=KZ&status=",
    "/v1/events?q=embassy&limit=2",
    "/v1/events/kz-taliban-delisting-2023",
    "/v1/events/kz-taliban-delisting-2023/revisions",
    "/v1/facets?by=status",
    "/v1/territories/KZ",
    "/v1/parties/nobody",
    "/v1/positions?subject=taliban",
    "/v1/changes?limit=2",
    "/v1/events.csv?country=KZ",
    "/v1/events.atom?country=KZ",
    "/v1/measures",
    "/timeline?country=KZ",
    "/livez",
    "/docs",
)
HOST = ("Host", "register.example")
ENCODINGS = (
    "gzip",
    "identity",
    "br, gzip",
    "gzip;q=0",
    "GZIP",
    "x-gzip",
    "*",
    "",
    "gzip, gzip;q=0",
)
HOSTS: tuple[tuple[Header, ...], ...] = (
    (),
    (HOST, HOST),
    (("Host", ""),),
    (("Host", ""), HOST),
    (HOST, ("Host", "")),
    (("Host", "other.example"), HOST),
    (HOST, ("Host", "other.example")),
    (("Host", "register.example:80"),),
    (("Host", "REGISTER.example"),),
    (("Host", "register.example:99999"),),
    (("Host", "a b"),),
    (("Host", "[::1]:80"),),
)
OTHERS: tuple[Header, ...] = (
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Proto", "gopher"),
    ("X-Forwarded-For", "192.0.2.1"),
    ("X-Forwarded-Host", "other.example"),
    ("Chancery-Change", "1"),
    ("Chancery-Change", "x"),
    ("Accept", "text/html"),
    ("Accept-Language", "ru"),
    ("Cookie", "a=b"),
    ("Range", "bytes=0-1"),
    ("If-Modified-Since", "Thu, 01 Jan 2099 00:00:00 GMT"),
    ("If-Match", '"other"'),
    ("Authorization", "Basic bm9ib2R5"),
    ("Cache-Control", "no-cache"),
    ("Connection", "close"),
    ("Connection", "Upgrade"),
    ("Origin", "https://other.example"),
    ("Last-Event-ID", "1"),
    ("X-Http-Method-Override", "DELETE"),
)
METHODS = ("HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "get", "BREW", "CONNECT")


@dataclass(frozen=True)
class Request:
    """One request, and whether it is in order or not."""

    target: str
    method: str = "GET"
    version: str = "1.1"
    headers: tuple[Header, ...] = (HOST,)
    body: bytes = b""
    etag: str = field(default='"unknown"', compare=False)
    """A tag that the target's response has had."""

    def encode(self) -> bytes:
        """Return the request's bytes."""
        first = f"{self.method} {self.target} HTTP/{self.version}\r\n"
        lines = "".join(f"{name}: {value}\r\n" for name, value in self.headers)
        return (first + lines + "\r\n").encode("latin-1") + self.body


def mutate(random: Random, request: Request) -> Request:
    """Return the request with one to three things changed."""
    for _ in range(random.randint(1, 3)):
        request = random.choice(MUTATIONS)(random, request)
    return request


def _method(random: Random, request: Request) -> Request:
    return replace(request, method=random.choice(METHODS))


def _version(random: Random, request: Request) -> Request:
    return replace(request, version=random.choice(("1.0", "1.0", "1.2", "0.9", "2.0")))


def _hosts(random: Random, request: Request) -> Request:
    others = tuple(each for each in request.headers if each[0] != "Host")
    return replace(request, headers=random.choice(HOSTS) + others)


def _version_and_hosts(random: Random, request: Request) -> Request:
    return _version(random, _hosts(random, request))


def _percent_encode(random: Random, request: Request) -> Request:
    at = random.randrange(len(request.target))
    letter = request.target[at]
    encoded = random.choice((f"%{ord(letter):02x}", f"%{ord(letter):02X}", quote(f"%{letter}")))
    return replace(request, target=request.target[:at] + encoded + request.target[at + 1 :])


def _parameter(random: Random, request: Request) -> Request:
    joint = "&" if "?" in request.target else "?"
    more = (
        "limit=1",
        "limit=",
        "%71=word",
        "q=word",
        "contry=KZ",
        "a",
        "",
        "&&",
        "country=KZ;x",
        "%00",
    )
    return replace(request, target=request.target + joint + random.choice(more))


def _form(random: Random, request: Request) -> Request:
    target = request.target
    forms = (
        f"http://register.example{target}",
        f"HTTPS://other.example{target}",
        f"/{target}",
        f"{target}#fragment",
        target.upper(),
        f"{target}/",
        target.lstrip("/"),
        "*",
        f"{target}\xe9",
    )
    return replace(request, target=random.choice(forms))


def _etags(random: Random, request: Request) -> Request:
    tag = request.etag
    tags = (
        tag,
        f"W/{tag}",
        "*",
        '"other"',
        "",
        f'"other", {tag}',
        tag.strip('"'),
        f"{tag},",
        "w/" + tag,
    )
    lines = [("If-None-Match", random.choice(tags)) for _ in range(random.choice((1, 1, 2, 3)))]
    return replace(request, headers=(*request.headers, *lines))


def _encodings(random: Random, request: Request) -> Request:
    lines = [("Accept-Encoding", random.choice(ENCODINGS)) for _ in range(random.choice((1, 1, 2)))]
    return replace(request, headers=(*request.headers, *lines))


def _other(random: Random, request: Request) -> Request:
    return replace(request, headers=(*request.headers, random.choice(OTHERS)))


def _repeated(random: Random, request: Request) -> Request:
    if not request.headers:
        return request
    return replace(request, headers=(*request.headers, random.choice(request.headers)))


def _cased(random: Random, request: Request) -> Request:
    change = random.choice((str.upper, str.lower, str.title))
    headers = tuple((change(name), value) for name, value in request.headers)
    return replace(request, headers=headers)


def _body(random: Random, request: Request) -> Request:
    headers, body = random.choice(
        (
            ((("Content-Length", "0"),), b""),
            ((("Content-Length", "2"), ("Content-Type", "application/json")), b"{}"),
            ((("Transfer-Encoding", "chunked"),), b"2\r\n{}\r\n0\r\n\r\n"),
            ((("Transfer-Encoding", "chunked"),), b"x\r\n"),
            ((("Transfer-Encoding", "gzip"),), b""),
            ((("Content-Length", "x"),), b""),
            ((("Content-Length", "2"), ("Content-Length", "3")), b"{}"),
            ((("Expect", "100-continue"), ("Content-Length", "2")), b"{}"),
            ((), b"\x00garbage\r\n\r\n"),
        )
    )
    return replace(request, headers=request.headers + headers, body=body)


MUTATIONS = (
    *(_method, _version, _hosts, _version_and_hosts, _percent_encode, _parameter, _form, _etags),
    *(_encodings, _other, _repeated, _cased, _body),
)
