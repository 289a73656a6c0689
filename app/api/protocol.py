"""uvicorn's HTTP protocol with a bound on the address, which its parser would cut or refuse."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.api.envelope import MAX_URL_LENGTH


class BoundedProtocol(HttpToolsProtocol):
    """Keeps no more of an address than shows that it is too long.

    The parser takes at most 65,535 bytes; beyond, the client would get a bare 400 in place of the
    problem 414 that the envelope answers.
    """

    def on_url(self, url: bytes) -> None:
        """Take in a further piece of the address."""
        self.url = (self.url + url)[: MAX_URL_LENGTH + 1]
