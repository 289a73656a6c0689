"""Compressed answers, for those who take them."""

import re

from starlette.datastructures import Headers
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import Receive, Scope, Send

# In small letters, as all programs write it: Starlette knows no other.
_GZIP = re.compile(r"\s*(?:x-)?gzip\s*(;.*)?")
_REFUSED = re.compile(r";\s*q\s*=\s*0(?:\.0*)?\s*", re.IGNORECASE)


def takes_gzip(accept_encoding: str) -> bool:
    """Tell whether an answer may be compressed: a weight of nought says no (RFC 9110, 12.5.3)."""
    for coding in accept_encoding.split(","):
        if found := _GZIP.fullmatch(coding):
            return not _REFUSED.fullmatch(found[1] or "")
    return False


class Compression(GZipMiddleware):
    """Compresses what is sent to those who take it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        is_taken = scope["type"] == "http" and takes_gzip(
            Headers(scope=scope).get("accept-encoding", "")
        )
        answer = super().__call__ if is_taken else self.app
        await answer(scope, receive, send)
