"""Keys in the database: made, used, revoked, also while something is being written with them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from app.commands import journal
from app.commands.keys import count_write, create_key, hold_key, revoke_key, touch_key
from app.db.connections import ReadConnection
from app.db.engine import Database
from app.domain.errors import NotFoundError, RefusedError, UnauthenticatedError
from app.domain.keys import Identity, Refusal, Scope, digest
from app.queries.keys import Recognised, identity_of, key, keys, keys_page
from tests.support.database import until_waiting


@pytest.fixture
async def database(empty_url: str) -> AsyncIterator[Database]:
    async with Database(empty_url, connections=24) as database:
        yield database


async def made(
    database: Database, *scopes: Scope, expires: datetime | timedelta | None = None
) -> tuple[str, str]:
    async with database.writing() as connection:
        secret, info = await create_key(connection, "Somebody", scopes or [Scope.EDIT], expires)
    return secret, info.id


async def seen(connection: ReadConnection, secret: str, public_id: str) -> Recognised | Refusal:
    return await identity_of(connection, public_id, digest(secret))


async def test_only_a_digest_is_stored(database: Database) -> None:
    secret, public_id = await made(database)
    async with database.reading() as connection:
        row = (await connection.execute(text("SELECT api_key::text, digest FROM api_key"))).one()
    assert row.digest == digest(secret)
    for part in (secret, *secret.split("_")[2:]):
        assert part not in row[0]
    assert public_id in row[0]


async def test_what_was_made_is_what_is_known(database: Database) -> None:
    end = datetime(2999, 1, 1, tzinfo=UTC)
    async with database.writing() as connection:
        scopes = [Scope.EDIT, Scope.ADMIN, Scope.EDIT]
        _, info = await create_key(connection, "Somebody", scopes, end)
    assert info.scopes == (Scope.ADMIN, Scope.EDIT)
    assert (info.expires_at, info.last_used_at, info.revoked_at) == (end, None, None)
    async with database.reading() as connection:
        assert await key(connection, info.id) == info
        assert await key(connection, "nothing0") is None
        assert await keys(connection) == [info]


async def test_a_period_counts_from_now(database: Database) -> None:
    async with database.writing() as connection:
        _, info = await create_key(connection, "Somebody", [Scope.EDIT], timedelta(days=90))
    assert info.expires_at == info.created_at + timedelta(days=90)


async def test_what_would_have_expired_is_refused(database: Database) -> None:
    for end in (timedelta(0), datetime(2020, 1, 1, tzinfo=UTC)):
        with pytest.raises(RefusedError, match="expired already"):
            await made(database, expires=end)


async def test_a_key_is_somebodys(database: Database) -> None:
    secret, public_id = await made(database, Scope.EDIT)
    async with database.reading() as connection:
        found = await seen(connection, secret, public_id)
    identity = Identity(public_id, "Somebody", frozenset([Scope.EDIT]))
    assert found == Recognised(identity, unused_lately=True)


async def test_why_a_key_is_not_accepted(database: Database) -> None:
    secret, public_id = await made(database)
    other, _ = await made(database)
    short, expiring = await made(database, expires=timedelta(milliseconds=50))
    await asyncio.sleep(0.06)
    async with database.reading() as connection:
        assert await seen(connection, secret, "nothing0") is Refusal.UNKNOWN
        assert await seen(connection, other, public_id) is Refusal.WRONG_SECRET
        assert await seen(connection, short, expiring) is Refusal.EXPIRED
    async with database.writing() as connection:
        await revoke_key(connection, public_id)
        await revoke_key(connection, expiring)
    async with database.reading() as connection:
        assert await seen(connection, secret, public_id) is Refusal.REVOKED
        assert await seen(connection, other, public_id) is Refusal.WRONG_SECRET
        assert await seen(connection, short, expiring) is Refusal.REVOKED


async def test_a_key_stays_revoked_since_when_it_was(database: Database) -> None:
    _, public_id = await made(database)
    instants = []
    for _ in range(2):
        async with database.writing() as connection:
            await revoke_key(connection, public_id)
        async with database.reading() as connection:
            info = await key(connection, public_id)
        assert info is not None
        instants.append(info.revoked_at)
    assert instants[0] == instants[1] is not None


@pytest.mark.parametrize("public_id", ["nothing0", "no id at all", "\udcff"])
async def test_an_unknown_key_cannot_be_revoked(database: Database, public_id: str) -> None:
    with pytest.raises(NotFoundError):
        async with database.writing() as connection:
            await revoke_key(connection, public_id)


async def test_pages_are_newest_first_and_hold_all(database: Database) -> None:
    made_ids = [(await made(database))[1] for _ in range(5)]
    async with database.writing() as connection:
        # Of keys made in one instant none is left out.
        await connection.execute(
            text("UPDATE api_key SET created_at = now() WHERE id <> :id"), {"id": made_ids[0]}
        )
    listed: list[str] = []
    after = None
    async with database.reading() as connection:
        everything = [info.id for info in await keys(connection)]
        while len(listed) < 5:
            page = await keys_page(connection, 2, after)
            assert len(page) == min(3, 5 - len(listed))
            listed += [info.id for info in page[:2]]
            after = (page[:2][-1].created_at, page[:2][-1].id)
        assert await keys_page(connection, 2, after) == []
    assert listed == everything
    assert listed[-1] == made_ids[0]
    assert sorted(listed) == sorted(made_ids)


async def test_the_last_use_is_written_once_a_minute(database: Database) -> None:
    secret, public_id = await made(database)

    async def used() -> datetime:
        async with database.writing() as connection:
            await touch_key(connection, public_id)
        async with database.reading() as connection:
            info = await key(connection, public_id)
            found = await seen(connection, secret, public_id)
        assert isinstance(found, Recognised)
        assert not found.unused_lately
        assert info is not None
        assert info.last_used_at is not None
        return info.last_used_at

    first = await used()
    assert await used() == first
    async with database.writing() as connection:
        earlier = "UPDATE api_key SET last_used_at = now() - interval '61 seconds'"
        await connection.execute(text(earlier))
        found = await seen(connection, secret, public_id)
        assert isinstance(found, Recognised)
        assert found.unused_lately
    assert await used() > first


async def test_noting_a_use_waits_for_nobody(database: Database) -> None:
    _, public_id = await made(database)
    async with database.writing() as revoking:
        await revoke_key(revoking, public_id)
        async with database.writing() as noting:
            await asyncio.wait_for(touch_key(noting, public_id), 1)


async def test_a_revocation_waits_for_what_is_being_written(database: Database) -> None:
    _, public_id = await made(database)
    order = []

    async def revoke() -> None:
        async with database.writing() as connection:
            await revoke_key(connection, public_id)
        order.append("revoked")

    async with database.writing() as connection:
        await hold_key(connection, public_id)
        revoking = asyncio.create_task(revoke())
        await until_waiting(database, 1)
        # Neither another write with the key nor the note of its use waits for this one.
        async with database.writing() as other:
            await asyncio.wait_for(touch_key(other, public_id), 1)
        order.append("written")
    await revoking
    assert order == ["written", "revoked"]


async def test_nothing_is_written_with_a_key_that_is_being_revoked(database: Database) -> None:
    _, public_id = await made(database)

    async def write() -> None:
        async with database.writing() as connection:
            await hold_key(connection, public_id)

    await write()
    async with database.writing() as connection:
        await revoke_key(connection, public_id)
        writing = asyncio.create_task(write())
        await until_waiting(database, 1)
    with pytest.raises(UnauthenticatedError):
        await writing


async def test_an_expired_key_cannot_be_held(database: Database) -> None:
    _, public_id = await made(database, expires=timedelta(milliseconds=50))
    await asyncio.sleep(0.06)
    with pytest.raises(UnauthenticatedError):
        async with database.writing() as connection:
            await hold_key(connection, public_id)


async def test_whoever_holds_the_journal_waits_for_no_writer_with_the_key(
    database: Database,
) -> None:
    """An import holds the key last, under the lock that another write with it waits for."""
    _, public_id = await made(database)

    async def write() -> None:
        async with database.writing() as connection:
            await count_write(connection, public_id, 1)
            await journal.lock(connection)

    async def revoke() -> None:
        async with database.writing() as connection:
            await revoke_key(connection, public_id)

    async with database.writing() as connection:
        await journal.lock(connection)
        writing = asyncio.create_task(write())
        await until_waiting(database, 1)
        revoking = asyncio.create_task(revoke())
        await until_waiting(database, 2)
        await asyncio.wait_for(hold_key(connection, public_id), 1)
    await asyncio.gather(writing, revoking)


async def test_a_write_is_a_use(database: Database) -> None:
    _, public_id = await made(database)
    async with database.writing() as connection:
        await count_write(connection, public_id, 1)
    async with database.reading() as connection:
        info = await key(connection, public_id)
    assert info is not None
    assert info.last_used_at is not None
