"""What statements are sent through: who may write may also read, and mypy refuses the reverse."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, Never, NewType, Protocol, TypeVar, TypeVarTuple, overload

from sqlalchemy import CursorResult, Executable, ScalarResult
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.selectable import TypedReturnsRows

from app.db.failures import answering, connecting

_Columns = TypeVarTuple("_Columns")
_Value = TypeVar("_Value")


class ReadConnection(Protocol):
    """What questions are asked through: the reading half of SQLAlchemy's AsyncConnection."""

    @overload
    async def execute(
        self, statement: TypedReturnsRows[*_Columns], parameters: Any = None
    ) -> CursorResult[*_Columns]: ...

    @overload
    async def execute(
        self, statement: Executable, parameters: Any = None
    ) -> CursorResult[*tuple[Any, ...]]: ...

    @overload
    async def scalar(self, statement: TypedReturnsRows[Never], parameters: Any = None) -> Any: ...

    @overload
    async def scalar(
        self, statement: TypedReturnsRows[_Value], parameters: Any = None
    ) -> _Value | None: ...

    @overload
    async def scalar(self, statement: Executable, parameters: Any = None) -> Any: ...

    @overload
    async def scalars(
        self, statement: TypedReturnsRows[_Value], parameters: Any = None
    ) -> ScalarResult[_Value]: ...

    @overload
    async def scalars(self, statement: Executable, parameters: Any = None) -> ScalarResult[Any]: ...


MomentConnection = NewType("MomentConnection", AsyncConnection)
"""One on which all statements see the same moment, and long answers can be streamed."""

WriteConnection = NewType("WriteConnection", AsyncConnection)


@asynccontextmanager
async def lent(
    connection: AbstractAsyncContextManager[AsyncConnection],
) -> AsyncIterator[AsyncConnection]:
    """Lend a connection, with the driver's failures turned into the domain's."""
    with answering():
        async with AsyncExitStack() as stack:
            with connecting():
                lent = await stack.enter_async_context(connection)
            yield lent
