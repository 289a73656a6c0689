"""No test may send a statement that can find nothing: each is a round trip for a known answer."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import Engine, event

from app.db.driver import DriverPool
from app.db.prepared import Prepared, Values


def check_can_find(sql: str, arguments: Sequence[Any]) -> None:
    """Raise AssertionError for a statement that asks for one of no values.

    SQLAlchemy writes `IN ()` as a condition that never holds.
    """
    never_holds = "1 != 1" in sql
    has_empty_list = any(isinstance(each, list) and not each for each in arguments)
    asks_among = "ANY" in sql or "unnest(" in sql
    finds_nothing = never_holds or (has_empty_list and asks_among)
    assert not finds_nothing, f"This can find nothing: {sql}"


@pytest.fixture(autouse=True, scope="session")
def no_fruitless_statements() -> Iterator[None]:
    """Check all that applications in the test's own process send."""

    def check(_c: Any, _k: Any, sql: str, arguments: Any, *_: Any) -> None:
        for given in arguments if isinstance(arguments, list) else [arguments]:
            check_can_find(sql, given)

    fetch = DriverPool.fetch

    async def checked(
        self: DriverPool, prepared: Prepared, values: Values, *others: Any
    ) -> Sequence[Any]:
        check_can_find(prepared.sql, prepared.arguments(values))
        return await fetch(self, prepared, values, *others)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DriverPool, "fetch", checked)
        event.listen(Engine, "before_cursor_execute", check)
        yield
        event.remove(Engine, "before_cursor_execute", check)
