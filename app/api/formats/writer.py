"""What every format that is written as it goes has in common: a beginning, items, an end."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Protocol, TypeVar

Item = TypeVar("Item")
Read = TypeVar("Read")
Item_contra = TypeVar("Item_contra", contravariant=True)


class Writer(Protocol[Item_contra]):
    """Writes one answer, a batch of items at a time, so that its size costs no memory."""

    def begin(self) -> str:
        """Return what stands before the first item."""

    def write(self, items: Sequence[Item_contra]) -> str:
        """Return the text of the next items."""

    def end(self) -> str:
        """Return what stands behind the last item."""


async def written(
    writer: Writer[Item], batches: AsyncGenerator[Sequence[Item], None]
) -> AsyncGenerator[bytes, None]:
    """Yield the answer piece by piece; whoever stops early closes the source of the items too.

    The beginning comes with the first items, so that a question that can't be answered yields
    nothing and can still be refused.
    """
    begun = writer.begin
    async with aclosing(batches):
        async for items in batches:
            yield (begun() + writer.write(items)).encode()
            begun = str
    yield (begun() + writer.end()).encode()


async def each(
    read: Callable[[Read], Item], batches: AsyncGenerator[Sequence[Read], None]
) -> AsyncGenerator[Sequence[Item], None]:
    """Yield the batches with every item as a writer takes it."""
    async with aclosing(batches):
        async for items in batches:
            yield [read(item) for item in items]
