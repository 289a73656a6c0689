"""The audit chain over the journal, as whoever checks it follows it.

Each revision has a leaf, a digest of all that was recorded; app/db/chain.py says of what. A link
covers the revisions after the link before it, up to the one whose number it bears: its own digest
is that of their leaves, and its head that of the head before, its number and its digest. So a head
stands for everything up to it, and what is changed afterwards leads to another one.
"""

from array import array
from hashlib import sha256

from app.domain.errors import TamperedError

_NUMBER_BYTES = 8
_LEAF_BYTES = 32


class Chain:
    """A chain as far as it was followed, from its beginning."""

    def __init__(self) -> None:
        """Begin; no head comes before the first link."""
        self.links = 0
        self.linked = 0
        self.seq = 0
        self.head = b""
        self._numbers = array("q")
        self._leaves = bytearray()

    @property
    def unlinked(self) -> int:
        """How many revisions come after the last link so far."""
        return len(self._numbers)

    def add(self, seq: int, leaf: bytes) -> None:
        """Go on to the next revision in the journal."""
        self._numbers.append(seq)
        self._leaves += leaf

    def close(self, seq: int, digest: bytes, head: bytes, leaves: bytes | None) -> None:
        """Go on to the link that ends with the revision just added.

        Args:
            seq: the number that the link bears.
            digest: that of the leaves that it covers.
            head: what it makes of the head before.
            leaves: what the digest was made of, where that was kept.

        Raises:
            TamperedError: the revisions since the link before aren't those that were linked, or
                the link doesn't follow from that one.

        """
        if sha256(self._leaves).digest() != digest:
            raise TamperedError(
                f"What the journal holds under {self._difference(seq, digest, leaves)} isn't what "
                "was recorded: there something was changed, removed or added."
            )
        if sha256(self.head + seq.to_bytes(_NUMBER_BYTES) + digest).digest() != head:
            raise TamperedError(
                f"The link at number {seq} doesn't follow from the one before it: a link was "
                "changed, removed or added."
            )
        self.seq, self.head = seq, head
        self.links, self.linked = self.links + 1, self.linked + self.unlinked
        self._numbers, self._leaves = array("q"), bytearray()

    def _difference(self, seq: int, digest: bytes, leaves: bytes | None) -> str:
        """Return which number is the first that differs, or between which numbers it is."""
        first = self.seq + 1
        if leaves is None or sha256(leaves).digest() != digest:
            return f"number {seq}" if first == seq else f"the numbers {first} to {seq}"
        for place, number in enumerate(self._numbers):
            leaf = slice(place * _LEAF_BYTES, (place + 1) * _LEAF_BYTES)
            if self._leaves[leaf] != leaves[leaf]:
                return f"number {number}"
        return f"number {seq}"

    def end(self, newest: int) -> None:
        """Be at the end of the journal, whose newest link bears this number.

        Raises:
            TamperedError: the chain goes on.

        """
        if newest > self.seq:
            raise TamperedError(
                f"The chain goes on to number {newest}, the journal doesn't: its end was cut off."
            )
