"""A register whose texts try to be something else, for whatever writes them into files."""

import pytest

from app.commands.record import record_unseen
from app.commands.revise import Author
from app.db.engine import Database
from tests.support.factories import SOURCE, event

TEXTS = {
    "formula": '=HYPERLINK("http://evil.example","click")',
    "plus": "+7 (495) 000-00-00",
    "tab": "\t=1+1",
    "quoted": "'=1+1",
    "lines": 'He said: "yes",\r\nthen\nno; a|b\\c',
    "rtl": "طالبان \u202e أُخرجت",
    "emoji": "🇰🇿 👨‍👩‍👧 ok",
    "script": "</script><script>alert(1)</script>",
    "cdata": "]]> <![CDATA[ & &amp; <b> _x0041_",
    "link": "http://evil.example/",
    "number": "1e5",
    "word": "Wortungetüm" * 40,
    "long": "Длинный текст, " * 30,
}


@pytest.fixture
async def hostile(empty_url: str) -> str:
    """Address of a database of the test's own with an event for each text."""
    await record_hostile(empty_url)
    return empty_url


async def record_hostile(url: str) -> None:
    """Record an event for each of the texts."""
    async with Database(url) as database, database.writing() as connection:
        events = [
            event(
                f"hostile-{name}",
                title=text,
                summary=text * 3,
                place=text,
                participants=[
                    {"party": "NA", "role": "actor", "organ": text},
                    {"party": "KZ", "role": "subject", "person": text},
                ],
                sources=[SOURCE | {"title": text, "quote": text, "publisher": text}],
            )
            for name, text in TEXTS.items()
        ]
        await record_unseen(connection, events, Author("a test"))
