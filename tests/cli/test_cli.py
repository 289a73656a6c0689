"""The command line as people use it: real databases, real processes too, no traceback ever."""

import asyncio
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import make_url

from app.db import schema
from app.db.embedded import embedded
from app.db.engine import Database
from tests.support.commands import (
    CHANCERY,
    TIMEOUT_S,
    chancery,
    complaint,
    copy_data_dir,
    run_process,
    run_sql,
    said,
    serving,
    workers_of,
)
from tests.support.processes import postmasters, socket_dir
from tests.support.projections import Projections, projections
from tests.support.service import ROOT, free_port, served, started

# What Docker leaves to root in a container.
IN_A_CONTAINER = (
    "-all,+chown,+dac_override,+fsetid,+fowner,+mknod,+net_raw,+setgid,+setuid,+setfcap,+setpcap,"
    "+net_bind_service,+sys_chroot,+kill,+audit_write"
)
ON_A_DATABASE = ("serve", "migrate", "load", "rebuild")


@pytest.fixture
def new_dir(tmp_path: Path) -> Iterator[Path]:
    """A data directory that isn't there yet; what a failed test leaves running on it is stopped."""
    data_dir = tmp_path / "the data"
    yield data_dir
    if postmasters(data_dir):
        with embedded(data_dir):
            pass


@pytest.fixture
def data_dir(filled_dir: Path, new_dir: Path) -> Path:
    """A filled data directory of the test's own."""
    copy_data_dir(filled_dir, new_dir)
    return new_dir


def test_each_command_says_in_one_line_what_it_did(unmigrated_url: str) -> None:
    assert said(run_process("migrate", url=unmigrated_url)).startswith("The schema is at ")
    first = said(run_process("load", url=unmigrated_url))
    events = first.removeprefix("Loaded the sample timeline: ").split()[0]
    assert first.startswith(f"Loaded the sample timeline: {events} of {events} events, ")
    assert int(events) > 100
    assert said(chancery("migrate", url=unmigrated_url)).startswith("The schema is at ")
    again = f"Loaded the sample timeline: 0 of {events} events, 0 parties and 0 regimes were new."
    assert said(chancery("load", url=unmigrated_url)) == again
    assert said(chancery("rebuild", url=unmigrated_url)).startswith(f"Rebuilt {events} events")


def test_an_upgrade_brings_what_is_read_along(empty_url: str) -> None:
    said(chancery("load", url=empty_url))
    before = asyncio.run(everything_read(empty_url))
    asyncio.run(schema.migrate(empty_url, "-1"))
    assert said(chancery("migrate", url=empty_url)).startswith("The schema is at ")
    assert asyncio.run(everything_read(empty_url)) == before
    assert before["event"]
    assert all(row["words"] for row in before["event"])


def test_openapi_prints_the_document_and_needs_no_database() -> None:
    done = run_process("openapi", url="postgresql://nobody@127.0.0.1:1/none")
    assert (done.returncode, done.stderr) == (0, "")
    assert "/v1/events" in json.loads(done.stdout)["paths"]


def test_no_environment_variable_is_needed(tmp_path: Path) -> None:
    assert said(run_process("migrate", cwd=tmp_path)).startswith("The schema is at ")
    assert (tmp_path / ".chancery" / "postgres" / "PG_VERSION").exists()
    assert not postmasters(tmp_path / ".chancery")


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root has capabilities that can be missing.")
def test_root_in_a_container_has_an_embedded_server_too(new_dir: Path) -> None:
    before = ("setpriv", f"--bounding-set={IN_A_CONTAINER}")
    done = run_process("migrate", data_dir=new_dir, before=before)
    assert said(done).startswith("The schema is at ")
    assert not postmasters(new_dir)


@pytest.mark.parametrize("command", ["serve", "load", "rebuild"])
def test_an_unmigrated_database_is_refused_and_left_as_it_was(
    unmigrated_url: str, command: str
) -> None:
    assert "`chancery migrate`" in complaint(chancery(*at_any_port(command), url=unmigrated_url))
    # Were it migrated by the way, the table would be there already.
    run_sql(unmigrated_url, "CREATE TABLE alembic_version ()")


@pytest.mark.parametrize("command", ["serve", "load", "rebuild"])
def test_what_an_older_release_projected_is_rebuilt_before_it_is_read(
    empty_url: str, command: str
) -> None:
    said(chancery("load", url=empty_url))
    asyncio.run(schema.migrate(empty_url, "0003"))
    asyncio.run(schema.migrate(empty_url))
    assert "`chancery migrate`" in complaint(chancery(*at_any_port(command), url=empty_url))
    assert said(chancery("migrate", url=empty_url)).startswith("The schema is at ")
    with served({"CHANCERY_DATABASE_URL": empty_url}) as address:
        query = {"actor": "KZ", "subject": "taliban", "as_of": "2024-12-31"}
        items = httpx.get(f"{address}/v1/positions", params=query).json()["items"]
    assert [item["state"] for item in items] == ["delisted", "refused"]


@pytest.mark.parametrize("command", ["load", "migrate", "rebuild"])
def test_a_database_of_a_newer_release_is_refused(empty_url: str, command: str) -> None:
    run_sql(empty_url, "UPDATE alembic_version SET version_num = '9999'")
    assert "9999" in complaint(chancery(*at_any_port(command), url=empty_url))


@pytest.mark.parametrize("command", ON_A_DATABASE)
def test_an_unreachable_database_is_one_sentence(command: str) -> None:
    url = f"postgresql://nobody@127.0.0.1:{free_port()}/none"
    sentence = complaint(chancery(*at_any_port(command), url=url))
    assert "can't be reached" in sentence
    assert "CHANCERY_DATABASE_URL" in sentence


def test_a_database_that_does_not_exist_is_named(server_url: str) -> None:
    url = make_url(server_url).set(database="no_such_database")
    sentence = complaint(chancery("migrate", url=url.render_as_string(hide_password=False)))
    assert "no_such_database" in sentence
    assert "CHANCERY_DATABASE_URL" in sentence


@pytest.mark.parametrize(
    ("command", "url"),
    [("serve", "nonsense"), ("load", "nonsense"), ("migrate", "sqlite:///register.db")],
)
def test_a_nonsense_address_is_one_sentence(command: str, url: str) -> None:
    assert "CHANCERY_DATABASE_URL" in complaint(chancery(*at_any_port(command), url=url))


@pytest.mark.parametrize("setting", ["CHANCERY_PUBLIC_URL", "CHANCERY_TRUSTED_PROXIES"])
@pytest.mark.parametrize("command", ["serve", "openapi"])
def test_a_nonsense_setting_is_one_sentence(timeline_url: str, command: str, setting: str) -> None:
    nonsense = {setting: "nonsense"}
    done = chancery(*at_any_port(command), url=timeline_url, environment=nonsense)
    assert setting in complaint(done)


@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_a_data_directory_that_cannot_be_made_is_one_sentence(tmp_path: Path, command: str) -> None:
    (tmp_path / "file").touch()
    done = chancery(*at_any_port(command), data_dir=tmp_path / "file" / "data")
    assert "CHANCERY_DATA_DIR" in complaint(done)


def test_a_data_directory_that_cannot_be_written_is_one_sentence() -> None:
    # Even root can make no file there.
    assert "CHANCERY_DATA_DIR" in complaint(chancery("load", data_dir="/proc"))


def test_a_port_in_use_is_one_sentence_and_nothing_is_begun(new_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        sentence = complaint(chancery("serve", "--port", port, data_dir=new_dir))
    assert f"Port {port} is in use" in sentence
    assert not new_dir.exists()


@pytest.mark.parametrize("host", ["no-such-host.invalid", "203.0.113.1"])
def test_a_host_that_cannot_be_listened_on_is_one_sentence(host: str, new_dir: Path) -> None:
    assert host in complaint(chancery(*at_any_port("serve"), "--host", host, data_dir=new_dir))


def test_a_start_that_fails_stops_the_embedded_server(data_dir: Path) -> None:
    with embedded(data_dir) as url:
        run_sql(url, "UPDATE alembic_version SET version_num = '9999'")
    assert "9999" in complaint(run_process(*at_any_port("serve"), data_dir=data_dir))
    assert not postmasters(data_dir)


def test_every_command_works_beside_a_running_server(data_dir: Path) -> None:
    with serving(data_dir) as server:
        before, running = server.events(), postmasters(data_dir)
        assert "The schema" in said(run_process("migrate", data_dir=data_dir))
        assert ": 0 of " in said(run_process("load", data_dir=data_dir))
        assert "Rebuilt" in said(run_process("rebuild", data_dir=data_dir))
        assert run_process("openapi", data_dir=data_dir).returncode == 0
        assert server.events() == before
        assert postmasters(data_dir) == running


def test_a_second_server_shares_the_database_and_the_last_stops_it(data_dir: Path) -> None:
    with serving(data_dir) as one, serving(data_dir) as two:
        assert one.events() == two.events()
        one.stop()
        assert two.events()
        two.stop()
    assert not postmasters(data_dir)


def test_serving_again_keeps_the_data(new_dir: Path) -> None:
    with serving(new_dir) as first:
        before = first.events()
        assert "events" in loaded(first.stop())
    with serving(new_dir) as second:
        # The moment at which each was recorded tells the same events from ones loaded anew.
        assert second.events() == before
        assert loaded(second.stop()) == ""


def test_several_workers_share_the_one_database(data_dir: Path) -> None:
    with serving(data_dir, "--workers", "2") as server:
        assert len(postmasters(data_dir)) == 1
        assert len(workers_of(server)) == 2
        assert server.events()
        assert "Traceback" not in server.stop()
        assert server.process.returncode == 0
    assert not postmasters(data_dir)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_service_in_good_order(data_dir: Path, number: int) -> None:
    with serving(data_dir) as server:
        sockets = socket_dir(data_dir)
        assert sockets.is_dir()
        assert server.stop(number).count("\n") == 3, "It says where it serves, and no more."
        assert server.process.returncode == 0
    assert not postmasters(data_dir)
    assert not sockets.exists()


def test_a_signal_during_the_start_leaves_no_server_behind(data_dir: Path) -> None:
    command = [*CHANCERY, *at_any_port("serve")]
    with started(command, {"CHANCERY_DATA_DIR": str(data_dir)}, ROOT) as process:
        wait_for_postmaster(data_dir)
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, output) == (0, "")
    assert not postmasters(data_dir)


@pytest.mark.parametrize("killed", ["the service", "the service and its PostgreSQL"])
def test_nothing_is_lost_when_it_is_killed(data_dir: Path, killed: str) -> None:
    with serving(data_dir) as server:
        before = server.events()
        server.stop(signal.SIGKILL)
    left = postmasters(data_dir)
    assert len(left) == 1
    if killed != "the service":
        os.kill(left[0], signal.SIGKILL)
    with serving(data_dir) as server:
        assert (postmasters(data_dir) == left) == (killed == "the service")
        assert server.events() == before
        server.stop()
    assert not postmasters(data_dir)


def test_a_server_that_was_shut_down_by_somebody_else_is_no_failure(data_dir: Path) -> None:
    with serving(data_dir) as server:
        sockets = socket_dir(data_dir)
        os.kill(postmasters(data_dir)[0], signal.SIGQUIT)
        assert "Traceback" not in server.stop()
        assert server.process.returncode == 0
    assert not sockets.exists()


def at_any_port(command: str) -> list[str]:
    """Return the command, which shall not meet what else may listen on this machine."""
    return [command, "--port", str(free_port())] if command == "serve" else [command]


async def everything_read(url: str) -> Projections:
    async with Database(url) as database:
        return await projections(database)


def loaded(output: str) -> str:
    return "".join(line for line in output.splitlines() if line.startswith("Loaded"))


def wait_for_postmaster(data_dir: Path) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not postmasters(data_dir):
        assert time.monotonic() < deadline
        time.sleep(0.01)
