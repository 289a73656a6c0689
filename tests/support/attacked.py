"""A running service that is sent whatever a test likes, and what lies in its database."""

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import text

from app.db.engine import Database
from app.domain.keys import Scope
from tests.support.corpus.cases import ADMIN, CURSOR, EDIT, TAG, Case, get
from tests.support.database import cloned
from tests.support.exchange import Answer, Wire
from tests.support.keys import key_for
from tests.support.service import ready

# Whatever a write changes but what counts the use of keys.
STATE = """
    SELECT (SELECT count(*) FROM event_revision), (SELECT max(seq) FROM event_revision),
        (SELECT count(*) FROM reference_revision), (SELECT count(*) FROM party),
        (SELECT string_agg(regime::text, '' ORDER BY code) FROM regime),
        (SELECT count(*) FROM idempotent_answer), (SELECT count(*) FROM api_key),
        (SELECT count(*) FROM api_key WHERE revoked_at IS NOT NULL)
"""


@dataclass(slots=True)
class Attacked:
    """A running service, keys of its own, and what lies in its database."""

    address: str
    keys: dict[str, str]
    runner: asyncio.Runner
    database: Database
    said: list[str] = field(default_factory=list)
    state: Any = None
    wire: Wire | None = None

    def has_changed(self) -> bool:
        """Tell whether anything was written since it was last asked."""

        async def read() -> Any:
            async with self.database.reading() as connection:
                return (await connection.execute(text(STATE))).one()

        before, self.state = self.state, self.runner.run(read())
        return before is not None and self.state != before

    def ask(self, target: str) -> Answer:
        """Return the answer to a plain GET."""
        with Wire(self.address) as wire:
            wire.send(get(target))
            return wire.answer()

    def answer(self, case: Case) -> Answer | None:
        """Return the answer to a case, None where its client has left before there was one.

        It is sent on the connection of the case before, as long as that lasts.
        """
        sent = self._filled_in(case)
        if self.wire is None:
            self.wire = Wire(self.address)
        self.wire.send(sent)
        if case.is_cut:
            self.wire.end()
        try:
            answer = self.wire.answer(case.method)
        except EOFError:
            assert case.is_cut, "there is no answer"
            self.hang_up()
            return None
        if case.is_cut or answer.is_last:
            assert self.wire.is_closed(), "there is something behind the last answer"
            self.hang_up()
        else:
            self.wire.send(get("/livez"))
            assert self.wire.answer().status == 200, "the connection is broken"
        return answer

    def hang_up(self) -> None:
        """Let the next case begin with a connection of its own."""
        if self.wire is not None:
            self.wire.close()
            self.wire = None

    def _filled_in(self, case: Case) -> bytes:
        """Return the bytes of a case with what only the running service knows."""
        sent = case.sent
        for name, key in self.keys.items():
            sent = sent.replace(name.encode(), key.encode())
        if TAG[1:-1].encode() in sent:
            path = re.sub("/(retract|restore|merge)$", "", case.target)
            tag = self.ask(path).header("etag").encode()
            sent = sent.replace(TAG.encode(), tag).replace(TAG[1:-1].encode(), tag[1:-1])
        if CURSOR[:-1].encode() in sent:
            page = json.loads(self.ask("/v1/events?limit=1").body)
            cursor = page["next"].partition("cursor=")[2].encode()
            sent = sent.replace(CURSOR.encode(), cursor).replace(CURSOR[:-1].encode(), cursor[:-1])
        return sent


@pytest.fixture(scope="module")
def attacked(server_url: str, timeline_template: str) -> Iterator[Attacked]:
    with cloned(server_url, timeline_template) as url, asyncio.Runner() as runner:
        keys = {
            EDIT: runner.run(key_for(url, Scope.EDIT)),
            ADMIN: runner.run(key_for(url, Scope.ADMIN)),
        }
        database = Database(url)
        environment = {"CHANCERY_DATABASE_URL": url, "CHANCERY_WRITES_A_MINUTE": "100000"}
        with ready(environment) as (address, process):
            attacked = Attacked(address, keys, runner, database)
            assert process.stdout is not None
            listening = threading.Thread(target=attacked.said.extend, args=(process.stdout,))
            listening.start()
            yield attacked
            attacked.hang_up()
            process.terminate()
            listening.join()
        runner.run(database.close())
