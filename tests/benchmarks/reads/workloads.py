"""What is measured: each workload for every candidate that can do it."""

import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count, islice
from urllib.parse import urlencode

import httpx

from app.queries.events import page_statement
from app.queries.filter import EventFilter
from app.queries.question import Question
from tests.benchmarks.reads import database, same_columns, servers
from tests.benchmarks.reads.load import Outcome, load
from tests.benchmarks.reads.questions import LIMIT, fresh, paths
from tests.benchmarks.reads.servers import Server
from tests.benchmarks.reads.table import Measure, Table

CONNECTIONS = 8
# More than anybody answers in one measurement.
MANY = 60_000
DEEP = 1_000
WARM_S = 2
COMMON_WORD = "embassy"
# Answers to whom may be kept for nobody else.
UNCACHED = {"Authorization": "Bearer nobody"}
PLAIN = {"Accept-Encoding": "identity"}
_seeds = count(100)


@dataclass(slots=True)
class Candidates:
    """What is compared; Datasette where it is installed, and a service with few events."""

    service: Server
    small: Server
    plain: Server
    parsing: Server
    bare: Server
    datasette: Server | None
    url: str


@dataclass(frozen=True, slots=True)
class Scale:
    """How often and how long each is measured."""

    rounds: int
    seconds: int


def countries(running: Candidates) -> list[str]:
    """Return the countries that are asked about: some of many events, some of few."""
    statement = """
        SELECT country FROM event_party WHERE country IS NOT NULL
        GROUP BY country ORDER BY count(*) DESC LIMIT 60
    """
    return [row[0] for row in database.asked(running.url, statement)]


def ids(url: str) -> list[str]:
    """Return ids of events from everywhere in the archive."""
    statement = "SELECT id FROM event ORDER BY hashtext(id) LIMIT $1"
    return [row[0] for row in database.asked(url, statement, MANY)]


def rare(running: Candidates) -> dict[str, str]:
    """Return a question that few events answer."""
    statement = """
        SELECT regime, status FROM event WHERE regime IS NOT NULL
        GROUP BY regime, status ORDER BY count(*) LIMIT 1
    """
    regime, status = database.asked(running.url, statement)[0]
    return {"regime": regime, "status": status, "date_from": "1950-01-01", "date_to": "2100-01-01"}


def run(running: Candidates, table: Table, scale: Scale, only: Collection[str] = ()) -> None:
    """Measure everything, or the workloads of these names only."""
    for measure in WORKLOADS:
        if not only or measure.__name__ in only:
            measure(running, table, scale)
    table.say(f"memory of the worker after all this: {running.service.memory_mb():.0f} MB")
    table.say(f"from the start to ready: {running.service.started_s:.2f} s")
    before, began = running.service.cpu_s(), time.monotonic()
    time.sleep(10)
    share = (running.service.cpu_s() - before) / (time.monotonic() - began)
    table.say(f"an idle worker uses {share:.2%} of a processor")


def new(running: Candidates, table: Table, scale: Scale) -> None:
    """Ask what nobody asked before: a page of 20 by country, status and dates."""
    among = countries(running)

    def asking(server: Server) -> float:
        asked = paths(fresh(next(_seeds), among), MANY, limit=str(LIMIT))
        return rate(server, asked, scale)

    def asking_datasette(server: Server) -> float:
        questions = islice(fresh(next(_seeds), among), MANY)
        asked = [f"/register/page.json?{urlencode(each)}&_shape=array" for each in questions]
        return rate(server, asked, scale)

    measures: dict[str, Measure] = {
        "chancery": partial(asking, running.service),
        "the plain way": partial(asking, running.plain),
        "a route that parses and answers constantly": partial(asking, running.parsing),
        "the statement alone (pgbench)": partial(_statement_alone, running.url, among, scale),
    }
    if running.datasette is not None:
        measures["Datasette"] = partial(asking_datasette, running.datasette)
    table.rates("a question not asked before, 20 items", measures)


def _statement_alone(url: str, among: list[str], scale: Scale) -> float:
    """Return how often pgbench gets a page, of one country and one status from changing days."""
    wanted = EventFilter(countries=(among[5],), statuses=("in_effect",))
    page = page_statement(Question(wanted), None, LIMIT)
    sql = page.prepared.sql
    for place, value in enumerate(page.prepared.arguments(page.values), 1):
        written = str(value) if isinstance(value, int) else f"'{value}'"
        sql = sql.replace(f"${place}::", f"{written}::")
    return database.pgbench(url, f"{sql};", scale.seconds, CONNECTIONS)


def one_event(running: Candidates, table: Table, scale: Scale) -> None:
    """Ask for one event after the other."""
    events = ids(running.url)
    asked = [f"/v1/events/{event}" for event in events]
    measures: dict[str, Measure] = {
        # The cache knows what it was asked in the round before.
        "chancery": lambda: rate(running.service, asked, scale, UNCACHED),
        "the plain way": lambda: rate(running.plain, asked, scale),
    }
    if running.datasette is not None:
        rows = [f"/register/one.json?id={event}&_shape=array" for event in events]
        measures["Datasette"] = partial(rate, running.datasette, rows, scale)
    table.rates("one event", measures)


def few(running: Candidates, table: Table, scale: Scale) -> None:
    """Ask for what few events answer."""
    question = rare(running)
    asked = [f"/v1/events?{urlencode({**question, 'limit': LIMIT})}"]
    measures: dict[str, Measure] = {
        "chancery": lambda: rate(running.service, asked, scale, UNCACHED),
        "the plain way": lambda: rate(running.plain, asked, scale),
    }
    if running.datasette is not None:
        rows = [f"/register/rare.json?{urlencode(question)}&_shape=array"]
        measures["Datasette"] = partial(rate, running.datasette, rows, scale)
    table.rates("a rare regime and status", measures)


def repeated(running: Candidates, table: Table, scale: Scale) -> None:
    """Ask the same again and again."""
    asked = [f"/v1/events?limit={LIMIT}&country=KZ"]
    tag = httpx.get(running.service.address + asked[0]).headers["ETag"]
    known = {"If-None-Match": tag}
    measures: dict[str, Measure] = {
        "chancery": lambda: rate(running.service, asked, scale),
        "chancery, 304 for what the client has": lambda: rate(running.service, asked, scale, known),
        "a bare ASGI callable, the same bytes": lambda: rate(running.bare, asked, scale),
    }
    table.rates("a repeated question", measures)


def grown(running: Candidates, table: Table, scale: Scale) -> None:
    """Ask for the first pages of many countries, among few events and among all of them."""
    asked = [f"/v1/events?limit={LIMIT}&country={code}" for code in countries(running)]
    table.rates(
        "the same questions, 20 items, at 10,000 events and at all of them",
        {
            "at all of them": lambda: rate(running.service, asked, scale, UNCACHED),
            "at 10,000": lambda: rate(running.small, asked, scale, UNCACHED),
        },
    )


def deep(running: Candidates, table: Table, scale: Scale) -> None:
    """Walk to the thousandth page, and compare it with the first."""
    first = f"/v1/events?limit={LIMIT}&country={countries(running)[0]}"
    path, page = first, 1
    with httpx.Client(base_url=running.service.address) as client:
        while page < DEEP and (following := client.get(path).json()["next"]):
            path, page = following.removeprefix(running.service.address), page + 1
    table.rates(
        f"page 1 of a walk against page {page:,}",
        {
            "page 1": lambda: rate(running.service, [first], scale, UNCACHED),
            f"page {page:,}": lambda: rate(running.service, [path], scale, UNCACHED),
        },
    )


def facets(running: Candidates, table: Table, scale: Scale) -> None:
    """Count, over everything and under a filter."""
    del scale
    country = countries(running)[0]
    counted = f"""
        SELECT count(*) FROM event
        WHERE id IN (SELECT event FROM event_party WHERE country = '{country}')
    """
    ask = partial(milliseconds, running.service)
    table.times("facets over everything", {"all of them": lambda: ask("/v1/facets")})
    table.times(
        "facets of a country with many events",
        {
            "COUNT(*) with the same filter": lambda: database.timed(running.url, counted),
            "by status": lambda: ask(f"/v1/facets?by=status&country={country}"),
            "all of them": lambda: ask(f"/v1/facets?country={country}"),
        },
    )


def words(running: Candidates, table: Table, scale: Scale) -> None:
    """Search for a common word."""
    del scale
    path = f"/v1/events?limit={LIMIT}&q={COMMON_WORD}"
    measure = partial(milliseconds, running.service)
    table.times("a common word, newest first", {"first page": lambda: measure(path)})


def position(running: Candidates, table: Table, scale: Scale) -> None:
    """Ask where somebody stands towards somebody else."""
    pair = "/v1/positions?actor=KZ&subject=taliban&dimension=designation&regime=KZ-NLTO"
    event = "/v1/events/kz-taliban-delisting-2023"
    table.rates(
        "a position against one event",
        {
            "one event": lambda: rate(running.service, [event], scale, UNCACHED),
            "a position": lambda: rate(running.service, [pair], scale, UNCACHED),
        },
    )


def files(running: Candidates, table: Table, scale: Scale) -> None:
    """Take away files of about 100,000 events."""
    del scale
    years = "latest >= '2000-01-01' AND earliest <= '2003-12-31'"
    documents = f"""
        SELECT document FROM event WHERE {years} ORDER BY latest DESC, earliest DESC, id DESC
    """
    path = "/v1/events.{}?date_from=2000&date_to=2003"
    same_columns.compare(running.url, running.service.address + path.format("csv"), years)
    table.times(
        "a file of all events of four years as JSON Lines",
        {
            "COPY of the documents": lambda: database.copied(running.url, documents),
            "events.jsonl": lambda: milliseconds(running.service, path.format("jsonl"), 1, PLAIN),
            "events.jsonl, compressed": lambda: milliseconds(
                running.service, path.format("jsonl"), 1
            ),
        },
    )
    table.times(
        "the same as CSV",
        {
            "COPY of the same columns": lambda: database.copied(
                running.url, same_columns.query(years)
            ),
            "events.csv": lambda: milliseconds(running.service, path.format("csv"), 1, PLAIN),
        },
    )


def mixed(running: Candidates, table: Table, scale: Scale) -> None:
    """Ask some questions often and others once, with and without a write a second."""
    among = countries(running)

    def asking() -> float:
        once = paths(fresh(next(_seeds), among), MANY // 2, limit=str(LIMIT))
        often = paths(fresh(1, among), 50, limit=str(LIMIT))
        asked = [path for number, each in enumerate(once) for path in (each, often[number % 50])]
        return rate(running.service, asked, scale)

    def asking_while_somebody_writes() -> float:
        with written_beside(running.url):
            return asking()

    table.rates(
        "half new questions, half repeated ones",
        {"nobody writes": asking, "somebody writes once a second": asking_while_somebody_writes},
    )


def workers(running: Candidates, table: Table, scale: Scale) -> None:
    """Compare one worker with two, which share this machine with PostgreSQL and wrk."""
    among = countries(running)

    def asking(server: Server) -> float:
        asked = paths(fresh(next(_seeds), among), MANY, limit=str(LIMIT))
        return rate(server, asked, scale, connections=2 * CONNECTIONS)

    with servers.service(running.url, "--workers", "2") as two:
        table.rates(
            "two workers against one, questions not asked before",
            {"two": partial(asking, two), "one": partial(asking, running.service)},
        )


WORKLOADS = (
    *(new, one_event, few, repeated, grown, deep, facets, words, position, files, mixed),
    workers,
)


@contextmanager
def written_beside(url: str) -> Iterator[None]:
    """Record a correction every second meanwhile."""
    ended = threading.Event()

    def write() -> None:
        while not ended.wait(1):
            # What counts for the readers is that the number of changes goes up.
            database.asked(url, "UPDATE change_number SET number = number + 1 RETURNING number")

    writing = threading.Thread(target=write)
    writing.start()
    try:
        yield
    finally:
        ended.set()
        writing.join()


def rate(
    server: Server,
    asked: list[str],
    scale: Scale,
    headers: Mapping[str, str] | None = None,
    connections: int = CONNECTIONS,
) -> float:
    """Return how many of these a server answers in a second, once it is warm.

    Whoever had the turn before has left the memory of PostgreSQL to what it needed itself.
    """
    warm = len(asked) // 10
    ask = partial(load, server.address, connections=connections, headers=headers)
    ask(asked[:warm] or asked, seconds=WARM_S)
    found: Outcome = ask(asked[warm:], seconds=scale.seconds)
    return found.per_second


def milliseconds(
    server: Server, path: str, repeats: int = 5, more: Mapping[str, str] | None = None
) -> float:
    """Return how long an answer takes that isn't kept, the shortest of several."""
    found, headers = [], {**UNCACHED, **(more or {})}
    for _ in range(repeats):
        began = time.perf_counter()
        with httpx.stream("GET", server.address + path, headers=headers, timeout=600) as response:
            response.raise_for_status()
            for _piece in response.iter_raw():
                pass
        found.append(time.perf_counter() - began)
    return min(found) * 1_000
