"""What a case of the corpus is, and how its bytes are written.

What is expected is taken from the contract, and where that is silent from the RFCs: never from what
the service happens to do.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self
from urllib.parse import quote

HOST = "register.example"
EDIT, ADMIN, TAG, CURSOR = "@EDIT@", "@ADMIN@", "@TAG@", "@CURSOR@"
"""What stands in a case for an editor's key, an admin's key, the tag of its target, a cursor."""

JSON, PATCH, LINES = "application/json", "application/merge-patch+json", "application/jsonl"
AS_EDITOR = {"Authorization": f"Bearer {EDIT}"}
AS_ADMIN = {"Authorization": f"Bearer {ADMIN}"}

Headers = Mapping[str, str] | Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Case:
    """One request: what it is, its bytes, and which statuses answer it rightly."""

    name: str
    sent: bytes
    expected: tuple[int, ...]
    field: str = ""
    """What the problem has to name, where it is about one parameter or member."""
    code: str = ""
    """The problem's code, where the contract or its documentation names one."""
    is_cut: bool = False
    """Whether the client sends nothing after it, as where it announced more than it sent."""

    @property
    def method(self) -> str:
        """How it asks."""
        return self.sent.lstrip().partition(b" ")[0].decode("latin-1")

    @property
    def target(self) -> str:
        """What it asks for."""
        return self.sent.partition(b" ")[2].partition(b" ")[0].decode("latin-1")

    @property
    def is_read(self) -> bool:
        """Whether it is sure to change nothing, whatever is answered."""
        return self.method in {"GET", "HEAD", "OPTIONS"}

    def cut(self) -> Self:
        """Return the same case of a client that sends nothing more."""
        return replace(self, is_cut=True)


def request(method: str, target: str, headers: Headers = (), body: bytes | None = None) -> bytes:
    """Return the bytes of a request with a Host, and with the length of its body if it has one."""
    named = headers.items() if isinstance(headers, Mapping) else headers
    lines = [f"{method} {target} HTTP/1.1", f"Host: {HOST}", *(f"{n}: {v}" for n, v in named)]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n" + (body or b"")


def raw(text: str | bytes, body: bytes = b"") -> bytes:
    """Return a head as it is written, line by line, with a Host unless it names one."""
    head = text.encode("latin-1") if isinstance(text, str) else text
    if b"\nHost" not in head:
        head += f"\nHost: {HOST}".encode()
    return head.replace(b"\n", b"\r\n") + b"\r\n\r\n" + body


def get(target: str, **headers: str) -> bytes:
    """Return a GET; an underscore in a header's name stands for a hyphen."""
    return request("GET", target, {name.replace("_", "-"): v for name, v in headers.items()})


def asking(path: str, name: str, value: str) -> bytes:
    """Return a GET with one parameter, which is written as it is but for what has to be encoded."""
    return get(f"{path}?{quote(name, safe='[]')}={quote(value)}")


def sending(
    method: str, target: str, body: Any, kind: str = JSON, who: Headers = AS_EDITOR, **more: str
) -> bytes:
    """Return a write: of bytes as they are, of a text in UTF-8, of anything else as JSON."""
    if not isinstance(body, bytes):
        body = (body if isinstance(body, str) else json.dumps(body)).encode()
    named = dict(who) | {name.replace("_", "-"): value for name, value in more.items()}
    if kind:
        named["Content-Type"] = kind
    return request(method, target, named, body)


def chunked(
    method: str, target: str, chunks: Iterable[bytes], end: bytes = b"0\r\n\r\n", **more: str
) -> bytes:
    """Return an editor's write of JSON in chunks."""
    named = {**AS_EDITOR, "Content-Type": JSON, "Transfer-Encoding": "chunked"}
    named |= {name.replace("_", "-"): value for name, value in more.items()}
    sent = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return request(method, target, named) + sent + end
