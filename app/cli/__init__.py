"""The command line: `chancery --help` lists the commands.

Every command works beside a running server, says in one line what it did, and fails with a
sentence and a non-zero status.
"""

import errno
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from tempfile import TemporaryDirectory
from typing import Annotated, NoReturn

import typer
import uvicorn
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError
from uvicorn.supervisors import Multiprocess

from app import __version__
from app.api.metrics.workers import FOLDER_VARIABLE
from app.cli import keys
from app.cli.backup import backup, restore, upgrade_database
from app.cli.database import addressed, run, with_database
from app.cli.demo import demo
from app.cli.import_file import import_file
from app.cli.verify import verify
from app.commands.chain import link_all
from app.commands.load import SAMPLE_AUTHOR, Loaded, load_timeline, sample
from app.commands.parties import add_territories
from app.commands.rebuild import count_events
from app.commands.rebuild import rebuild as rebuild_projections
from app.db import schema
from app.db.embedded import watched
from app.db.engine import Database
from app.domain.errors import ChanceryError, MisconfiguredError, UnavailableError
from app.logs import configuration
from app.queries.chain import count_unlinked
from app.settings import Settings, settings_from_environment

GRACEFUL_SHUTDOWN_S = 10
KEEP_ALIVE_S = 65
# On a busy machine a worker needs longer for its imports than uvicorn would by itself wait before
# it kills it and begins anew.
WORKER_START_S = 30
UNREAD_MS = 60_000
commands = typer.Typer(
    help="A sourced register of diplomatic designation changes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
commands.add_typer(keys.commands, name="keys")
commands.command("import")(import_file)
commands.command()(demo)
commands.command()(verify)
commands.command()(backup)
commands.command()(restore)
commands.command()(upgrade_database)


def main() -> NoReturn:
    """Run a command; whatever goes wrong is one sentence on standard error."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell has it ignored by what it starts in the background. Whoever sends it nevertheless
        # wants a command to end, and gets that in good order, as servers and uvicorn do it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        commands()
    except UnavailableError as error:
        if isinstance(error.__cause__, DBAPIError):
            _fail(_explained(error.__cause__))
        _fail(f"{error} Is CHANCERY_DATABASE_URL right, and is the server running?")
    except ChanceryError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        _fail("Interrupted.")
    except Exception as error:
        # A command never ends in a traceback.
        if os.environ.get("CHANCERY_DEBUG"):
            raise
        _fail(_explained(error))
    sys.exit(0)


def _explained(error: Exception) -> str:
    if isinstance(error, DBAPIError) and error.orig is not None:
        # Mostly a wrong user, password or database name, which PostgreSQL itself names best.
        refusal = error.orig.__cause__ or error.orig
        return f"The database refused ({refusal}). Is CHANCERY_DATABASE_URL right?"
    name = type(error).__name__
    return f"An unexpected fault ({name}). Run it with CHANCERY_DEBUG=1 to see where."


def _fail(sentence: str) -> NoReturn:
    typer.echo(f"chancery: {sentence}", err=True)
    sys.exit(1)


@commands.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="How many processes answer.")] = 1,
) -> None:
    """Serve the register. Without a database of yours, one is started and filled."""
    # The port is taken before anything else is begun, so that one in use costs nothing.
    with _listening(host, port) as listener, addressed() as (settings, url):
        run(_prepare(settings, url))
        # Workers are processes of their own and learn the address from the environment.
        os.environ["CHANCERY_DATABASE_URL"] = url
        _announce(host, port)
        with watched(settings.data_dir) if settings.embedded else nullcontext():
            _answer(listener, workers, settings)


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        raise MisconfiguredError(_why_not_listening(host, port, error)) from error
    # Every connection inherits it: one whose client acknowledges or takes nothing for so long is
    # gone, also where only the kernel has something left to send.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MS)
    with listener:
        yield listener


def _why_not_listening(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use: stop what listens there, or choose another with --port."
    # Python adds the address once more.
    reason = str(error.strerror).partition(" (while ")[0]
    return f"Port {port} of {host} can't be listened on ({reason}): choose --host and --port anew."


def _answer(listener: socket.socket, workers: int, settings: Settings) -> None:
    """Answer requests until a signal comes; uvicorn's own `run` would bind the port by itself."""
    config = uvicorn.Config(
        "app.main:create_app_from_environment",
        factory=True,
        workers=workers,
        http="app.api.connection.bounds:BoundedProtocol",
        # By itself uvicorn would take an application that fails to start for one that needn't.
        lifespan="on",
        server_header=False,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_S,
        timeout_worker_healthcheck=WORKER_START_S,
        log_config=configuration(settings.log),
        log_level=None,
        # Each request is logged by the application, which knows its id and keeps its query.
        access_log=False,
    )
    if workers > 1:
        with TemporaryDirectory(prefix="chancery-") as folder:
            os.environ[FOLDER_VARIABLE] = folder
            Multiprocess(config, [listener]).run()
        return
    # After its shutdown uvicorn raises the signal again: Ctrl-C is how one stops it, no failure.
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run([listener])


def _announce(host: str, port: int) -> None:
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    typer.echo(f"chancery {__version__} serves on {address} (stop with Ctrl-C)")
    typer.echo(f"  look and filter    {address}/timeline")
    typer.echo(f"  JSON               {address}/v1/events?country=Kazakhstan")


async def _prepare(settings: Settings, url: str) -> None:
    """Migrate and fill the embedded database; only check a database of somebody's own."""
    if not settings.embedded:
        async with Database(url) as database, database.reading() as connection:
            await schema.check_schema(connection, newer_will_do=True)
        return
    await _migrate(url)
    async with Database(url) as database:
        async with database.reading() as connection:
            filled = await count_events(connection)
        if not filled:
            typer.echo(_said(await _load(database)))


@commands.command()
def migrate() -> None:
    """Bring the database to the schema of this release, and what is read with it."""
    with addressed() as (_, url):
        run(_migrate(url))
        typer.echo(f"The schema is at {schema.newest_revision()}.")


@commands.command()
def load() -> None:
    """Load the sample timeline: what is unseen is added, nothing is changed."""
    with addressed() as (_, url):
        loaded = run(with_database(url, _load))
        typer.echo(_said(loaded))


@commands.command()
def rebuild() -> None:
    """Make everything that is read anew from the revisions."""
    with addressed() as (_, url):
        rebuilt = run(with_database(url, _rebuild))
        typer.echo(f"Rebuilt {rebuilt:,} events from their revisions.")


@commands.command()
def openapi() -> None:
    """Print the OpenAPI document."""
    # No other command needs the application itself, which takes most of the time to import.
    from app.main import create_app  # noqa: PLC0415

    nowhere = {"database_url": "postgresql://described.invalid/none"}
    described = create_app(settings_from_environment().model_copy(update=nowhere))
    typer.echo(json.dumps(described.openapi(), ensure_ascii=False, indent=2))


async def _migrate(url: str) -> None:
    try:
        await schema.migrate(url)
    except CommandError as error:
        raise MisconfiguredError(
            f"This release doesn't know the database's schema ({error}): use a newer release."
        ) from error
    async with Database(url) as database:
        async with database.writing() as connection:
            await add_territories(connection)
            stale = await schema.is_stale(connection)
        if stale:
            await _rebuild(database)
        await _link(database)


async def _load(database: Database) -> Loaded:
    async with database.writing() as connection:
        return await load_timeline(connection, sample(), SAMPLE_AUTHOR)


def _said(loaded: Loaded) -> str:
    return (
        f"Loaded the sample timeline: {loaded.events:,} of {loaded.of_events:,} events, "
        f"{loaded.parties:,} parties and {loaded.regimes:,} regimes were new."
    )


async def _rebuild(database: Database) -> int:
    async with database.reading() as connection:
        total = await count_events(connection)
    rebuilt = 0
    with typer.progressbar(length=total, label="Rebuilding", file=sys.stderr) as bar:
        async for count in rebuild_projections(database):
            rebuilt += count
            bar.update(count)
    return rebuilt


async def _link(database: Database) -> None:
    """Link in the audit chain what older releases have recorded."""
    async with database.streaming() as connection:
        total = await count_unlinked(connection)
    if total:
        with typer.progressbar(length=total, label="Linking", file=sys.stderr) as bar:
            async for count in link_all(database):
                bar.update(count)
