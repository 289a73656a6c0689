"""What is read as of one moment, and the instant at which it can be had again."""

from app.commands.record import record_unseen
from app.commands.revise import Author
from app.db.engine import Database
from app.queries.events import event_document, events_page
from app.queries.knowledge import Everything, Recorded
from app.queries.moment import newest_change
from app.queries.question import Question
from tests.support.factories import event


async def record(database: Database, name: str) -> None:
    async with database.writing() as connection:
        await record_unseen(connection, [event(name)], Author("a test"))


async def test_what_is_written_meanwhile_is_not_seen(empty_url: str) -> None:
    async with Database(empty_url) as database:
        await record(database, "first")
        async with database.reading_one_moment() as connection:
            at = await newest_change(connection)
            await record(database, "second")
            assert await event_document(connection, "second", Everything()) is None
            assert await newest_change(connection) == at
        async with database.reading() as connection:
            assert await newest_change(connection) > at
            then = await events_page(connection, Question(knowledge=Recorded(at)))
            assert len(then.documents) == 1
