"""Full text against a naive reference, in several scripts, as things are and as they were."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from random import Random
from typing import Any

import pytest
from sqlalchemy import text

from app.commands.correct import put
from app.commands.load import SAMPLE_AUTHOR, load_timeline, sample
from app.commands.parties import put_party
from app.commands.record import NewEvent, record_unseen
from app.commands.revise import Author
from app.db.engine import Database
from app.domain.reference import PartyFacts
from app.domain.search import parse
from app.queries import events as asking
from app.queries.events import EventPage, events_page
from app.queries.filter import EventFilter
from app.queries.knowledge import Everything, Knowledge, Recorded
from app.queries.question import Question, Sort
from app.queries.search import text_condition
from tests.support.factories import event
from tests.support.schedule import slow

AUTHOR = Author("a test")
# What is one word, in the ways in which people write it.
WORDS: dict[str, tuple[str, ...]] = {
    "embassy": ("embassy", "Embassy", "EMBASSY,"),
    "sao": ("São", "sao", "SÃO"),
    "list": ("list", "“list”", "List."),
    "or": ("or", "OR"),
    "usa": ("U.S.A.", "usa"),
    "kazakhstan": ("Kazakhstan", "KAZAKHSTAN"),
    "казахстан": ("Казахстан", "КАЗАХСТАН"),
    "талибан": ("Талибан", "«талибан»"),
    "طالبان": ("طالبان", "طالِبان"),
    "movement": ("Movement", "movement"),
    "塔利班": ("塔利班",),
    "2024": ("2024", "(2024)"),
}
NAMES = ("талибан", "طالبان", "塔利班", "movement", "usa", "sao", "list")
# Names that the release has for a territory, as far as these words go.
OF_TERRITORIES = {"KZ": [["kazakhstan"], ["казахстан"]], "US": [["usa"]]}
Phrases = list[list[str]]


@dataclass
class Archive:
    """What was written, as lists of words: a naive copy of the register."""

    events: dict[str, tuple[NewEvent, Phrases]] = field(default_factory=dict)
    names: dict[str, Phrases] = field(default_factory=dict)

    def found(self, asked: Sequence[Sequence[tuple[tuple[str, ...], bool]]]) -> set[str]:
        return {key for key in self.events if any(self._has_all(key, each) for each in asked)}

    def _has_all(self, key: str, terms: Sequence[tuple[tuple[str, ...], bool]]) -> bool:
        return all(self._has(key, phrase) == wanted for phrase, wanted in terms)

    def _has(self, key: str, phrase: tuple[str, ...]) -> bool:
        new, texts = self.events[key]
        called = [
            name
            for participant in new.facts.participants
            for name in self.names.get(participant.party, [])
            + OF_TERRITORIES.get(participant.party, [])
        ]
        length = len(phrase)
        return any(
            tuple(words[start : start + length]) == phrase
            for words in [*texts, *called]
            for start in range(len(words))
        )


def some_words(random: Random, count: int) -> list[str]:
    return random.choices(list(WORDS), k=count)


def written(random: Random, words: Sequence[str]) -> str:
    return " ".join(random.choice(WORDS[word]) for word in words)


def random_event(random: Random, key: str) -> tuple[NewEvent, Phrases]:
    texts = [some_words(random, random.choice([1, 2, 3])) for _ in range(6)]
    title, summary, organ, place, quote, publisher = (written(random, words) for words in texts)
    parties = random.sample(["KZ", "US", "RU", "taliban", "hamas"], random.randint(1, 2))
    new = event(
        key,
        title=title,
        summary=summary,
        place=place,
        dates={"effective": f"2024-0{random.randint(1, 9)}"},
        participants=[{"party": party, "role": "actor", "organ": organ} for party in parties],
        sources=[{"url": "https://example.org/", "quote": quote, "publisher": publisher}],
    )
    return new, texts


Asked = list[list[tuple[tuple[str, ...], bool]]]


def random_query(random: Random) -> tuple[str, Asked]:
    asked: Asked = []
    typed = []
    for _ in range(random.choice([1, 1, 1, 2])):
        terms, parts = [], []
        for _ in range(random.choice([1, 1, 2, 3])):
            phrase = tuple(some_words(random, random.choice([1, 1, 1, 2])))
            wanted = random.random() < 0.8
            quotes = '"' if len(phrase) > 1 or "or" in phrase else ""
            spelled = written(random, phrase).translate(dict.fromkeys(map(ord, "“”«»")))
            parts.append(f"{'' if wanted else '-'}{quotes}{spelled}{quotes}")
            terms.append((phrase, wanted))
        asked.append(terms)
        typed.append(" ".join(parts))
    return random.choice([" or ", " OR "]).join(typed), asked


async def ask(
    database: Database,
    query: str,
    knowledge: Knowledge | None = None,
    **question: Any,
) -> EventPage:
    known = knowledge or Everything()
    limit, after = question.pop("limit", 1_000), question.pop("after", None)
    with_total = question.pop("with_total", False)
    async with database.reading() as connection:
        condition = await text_condition(connection, parse(query), known)
        asked = Question(EventFilter(text=condition), knowledge=known, **question)
        return await events_page(connection, asked, limit, after, with_total=with_total)


def ids(page: EventPage) -> list[str]:
    return [json.loads(document)["id"] for document in page.documents]


@pytest.fixture
async def database(empty_url: str) -> AsyncIterator[Database]:
    async with Database(empty_url) as database:
        yield database


async def call(database: Database, archive: Archive, party: str, names: Phrases) -> None:
    random = Random(str(names))
    first, *aliases = (written(random, name) for name in names)
    facts = {"id": party, "kind": "organisation", "name": first, "aliases": aliases}
    async with database.writing() as connection:
        await put_party(connection, PartyFacts.model_validate(facts), AUTHOR)
    archive.names[party] = names


async def write(database: Database, archive: Archive, news: Mapping[str, Any]) -> None:
    async with database.writing() as connection:
        unseen = [new for key, (new, _) in news.items() if key not in archive.events]
        await record_unseen(connection, unseen, AUTHOR)
        for key, (new, _) in news.items():
            if key in archive.events:
                await put(connection, key, new.facts, ("*",), AUTHOR)
    archive.events.update(news)


async def now(database: Database) -> datetime:
    async with database.reading() as connection:
        instant: datetime = await connection.scalar(text("SELECT clock_timestamp()"))
    return instant


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", [0, *slow(1, 2)])
async def test_text_finds_what_a_naive_reading_finds_now_and_then(
    database: Database, seed: int
) -> None:
    random, archive = Random(seed), Archive()
    queries = [random_query(random) for _ in range(30)]
    expected: list[tuple[datetime, list[set[str]]]] = []
    for step in range(5):
        for party in ("taliban", "hamas"):
            names = [
                random.sample(NAMES, random.randint(1, 2)) for _ in range(random.randint(1, 4))
            ]
            await call(database, archive, party, names)
        keys = [f"event-{random.randrange(40 + 20 * step)}" for _ in range(40)]
        await write(database, archive, {key: random_event(random, key) for key in keys})
        answers = [archive.found(asked) for _, asked in queries]
        for (query, _), answer in zip(queries, answers, strict=True):
            page = await ask(database, query, with_total=True)
            assert set(ids(page)) == answer, query
            assert page.total == len(answer)
        expected.append((await now(database), answers))
    assert len([answer for _, answers in expected for answer in answers if answer]) > 50
    for instant, answers in expected:
        for (query, _), answer in zip(queries, answers, strict=True):
            for sort in (Sort.NEWEST, Sort.RELEVANCE):
                page = await ask(database, query, Recorded(instant), sort=sort)
                assert set(ids(page)) == answer, (query, instant)


TITLES = ("list", "embassy embassy list", "embassy", "list list list", "embassy list")


async def many(database: Database, count: int) -> list[str]:
    random = Random(count)
    news = [
        event(
            f"event-{random.randrange(10**6):06}-{number}",
            title=random.choice(TITLES),
            summary=written(random, some_words(random, 3)),
            dates={"effective": f"2024-01-{random.randint(1, 9):02}"},
        )
        for number in range(count)
    ]
    async with database.writing() as connection:
        await record_unseen(connection, news, AUTHOR)
    return [new.id for new in news]


@pytest.fixture
async def crowded(database: Database) -> Database:
    async with database.writing() as connection:
        await load_timeline(connection, sample(), SAMPLE_AUTHOR)
    await many(database, 300)
    return database


@pytest.mark.parametrize("sort", list(Sort))
@pytest.mark.parametrize("query", ["embassy", "embassy or 塔利班", "-embassy", "list -usa"])
async def test_a_walk_along_a_stretch_and_the_index_say_the_same(
    crowded: Database, monkeypatch: pytest.MonkeyPatch, sort: Sort, query: str
) -> None:
    monkeypatch.setattr(asking, "RANKED", 100)
    pages = []
    for stretch in (0, 20, 10_000):
        monkeypatch.setattr(asking, "_STRETCH", stretch)
        monkeypatch.setattr(asking, "_STRETCH_FOR_RANKING", 2 * stretch + 1)
        first = await ask(crowded, query, sort=sort, limit=20)
        then = await ask(crowded, query, Recorded(await now(crowded)), sort=sort, limit=20)
        assert then == first
        pages.append((first, await ask(crowded, query, sort=sort, limit=20, after=first.next)))
    assert pages[0] == pages[1] == pages[2]
    assert pages[0][0].next is not None


@pytest.mark.parametrize(("limit", "ranked"), [(7, 10_000), (200, 10_000), (7, 25)])
async def test_a_walk_by_relevance_gives_each_event_once_the_most_relevant_first(
    crowded: Database, monkeypatch: pytest.MonkeyPatch, limit: int, ranked: int
) -> None:
    monkeypatch.setattr(asking, "RANKED", ranked)
    newest = ids(await ask(crowded, "embassy", with_total=True))
    after, walked, ranks = None, [], []
    while True:
        page = await ask(crowded, "embassy", sort=Sort.RELEVANCE, limit=limit, after=after)
        walked += ids(page)
        assert page.ranked == (ranked if ranked < len(newest) else None)
        if page.next is None:
            break
        ranks.append(page.next[0])
        # A cursor carries the rank as JSON.
        after = [json.loads(json.dumps(page.next[0])), *page.next[1:]]
    assert sorted(walked) == sorted(newest[:ranked])
    assert ranks == sorted(ranks, reverse=True)


async def test_a_title_counts_more_than_a_name_and_a_name_more_than_a_quotation(
    database: Database,
) -> None:
    await call(database, Archive(), "hamas", [["movement"]])
    quote = [{"url": "https://example.org/", "quote": "movement"}]
    news = [
        event("in-a-quotation", sources=quote),
        event("in-a-name", participants=[{"party": "hamas", "role": "actor"}]),
        event("in-a-title", title="Movement"),
        event("in-a-summary", summary="A movement"),
    ]
    async with database.writing() as connection:
        await record_unseen(connection, news, AUTHOR)
    page = await ask(database, "movement", sort=Sort.RELEVANCE)
    assert ids(page) == ["in-a-title", "in-a-name", "in-a-summary", "in-a-quotation"]


async def test_a_page_beyond_the_last_one_still_counts(crowded: Database) -> None:
    asked: dict[str, Any] = {"sort": Sort.RELEVANCE, "with_total": True}
    everything = await ask(crowded, "embassy", **asked)
    beyond = await ask(crowded, "embassy", after=(0.0, date.min, date.min, ""), **asked)
    assert (beyond.total, beyond.documents) == (everything.total, [])
    nothing = await ask(crowded, "nowhere", **asked)
    assert (nothing.total, nothing.ranked) == (0, None)


async def test_whatever_an_event_may_hold_can_be_kept_and_found(database: Database) -> None:
    # Long words of letters that take four bytes each, no two words alike: more than can be kept.
    random, letters = Random(1), [chr(code) for code in range(0x10428, 0x10450)]
    words = ["".join(random.choices(letters, k=490)) for _ in range(300)]
    sources = [
        {"title": words[n], "publisher": words[n + 50], "quote": " ".join(words[n * 4 + 100 :][:4])}
        for n in range(50)
    ]
    long = event("long", title="Long", summary="word " * 3_999 + "last", sources=sources)
    async with database.writing() as connection:
        await record_unseen(connection, [long], AUTHOR)
    for query in ("Long", "last", '"word word"', words[0]):
        assert ids(await ask(database, query)) == ["long"]
    assert ids(await ask(database, words[-1])) == []


async def test_everything_that_may_be_asked_at_once_can_be_asked(database: Database) -> None:
    async with database.writing() as connection:
        await load_timeline(connection, sample(), SAMPLE_AUTHOR)
    # Words that stand in the names of most territories.
    query = " or ".join(f'republic -of "of the" the{n}' for n in range(16))
    assert len(parse(query).phrases) < 50
    assert ids(await ask(database, query, sort=Sort.RELEVANCE)) == []
    most = " or ".join(f"republic of n{n}" for n in range(50)) + " or the or of or republic"
    assert len(ids(await ask(database, most, sort=Sort.RELEVANCE))) > 100
