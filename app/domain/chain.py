"""The audit chain over the journal, as whoever checks it follows it.

Each revision has a leaf, a digest of all that was recorded; app/db/chain.py says of what. A link
covers the revisions after the link before it, up to the one whose number it bears: its own digest
is that of their leaves, and its head that of the head before, its number and its digest. So a head
stands for everything up to it, and what is changed afterwards leads to another one.
"""

from hashlib import sha256

from app.domain.errors import TamperedError

LEAF_BYTES = 32
_NUMBER_BYTES = 8


class Chain:
    """A chain as far as it was followed, from its beginning."""

    def __init__(self) -> None:
        """Begin; no head comes before the first link."""
        self.links = 0
        self.linked = 0
        self.unlinked = 0
        self.seq = 0
        self.head = b""
        self._leaves = sha256()

    @property
    def digest(self) -> bytes:
        """The digest that a link over the revisions since the last one has."""
        return self._leaves.digest()

    def add(self, leaf: bytes) -> None:
        """Go on to the next revision in the journal."""
        self._leaves.update(leaf)
        self.unlinked += 1

    def close(self, seq: int, head: bytes) -> None:
        """Go on to the link that covers the revisions since the last one.

        Args:
            seq: the number that the link bears.
            head: what it makes of the head before.

        Raises:
            TamperedError: the link doesn't follow from the one before.

        """
        if sha256(self.head + seq.to_bytes(_NUMBER_BYTES) + self.digest).digest() != head:
            raise TamperedError(
                f"The link at number {seq} doesn't follow from the one before it: a link was "
                "changed, removed or added."
            )
        self.seq, self.head = seq, head
        self.links, self.linked = self.links + 1, self.linked + self.unlinked
        self._leaves, self.unlinked = sha256(), 0

    def end(self, newest: int) -> None:
        """Be at the end of the journal, whose newest link bears this number.

        Raises:
            TamperedError: the chain goes on.

        """
        if newest > self.seq:
            raise TamperedError(
                f"The chain goes on to number {newest}, the journal doesn't: its end was cut off."
            )
