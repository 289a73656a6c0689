"""Compressed answers, for those who take them."""

import re
from functools import lru_cache

from starlette.datastructures import Headers
from starlette.middleware.gzip import GZipMiddleware, GZipResponder
from starlette.types import ASGIApp, Receive, Scope, Send

# In small letters, as all programs write it: Starlette knows no other.
_GZIP = re.compile(r"\s*(?:x-)?gzip\s*(;.*)?")
_REFUSED = re.compile(r";\s*q\s*=\s*0(?:\.0*)?\s*", re.IGNORECASE)


# Nearly all requests say the same.
@lru_cache(maxsize=64)
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
        # Several lines of a header are one list (RFC 9110, section 5.3); Starlette reads the first.
        is_taken = scope["type"] == "http" and takes_gzip(
            ", ".join(Headers(scope=scope).getlist("accept-encoding"))
        )
        await (self._compressing() if is_taken else self.app)(scope, receive, send)

    def _compressing(self) -> ASGIApp:
        return GZipResponder(
            self.app,
            self.minimum_size,
            self.compresslevel,
            thread_minimum_size=self.thread_minimum_size,
            exclude_content_types=self.exclude_content_types,
        )
