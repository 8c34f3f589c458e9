"""Postgres as a ledger: what it says when it is slow, hangs, is gone, or is none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection

from tests.flows.conftest import Said
from tests.flows.ledger_suite.server import Server
from tidegate_contracts.errors import StoreError, UsageError
from tidegate_flows.ledger import Ledger, counters
from tidegate_flows.ledger.postgres import Patience
from tidegate_flows.ledger.sqlite import sqlite_engine
from tidegate_flows.place import at
from tidegate_flows.stores.mounts import NETWORK, file_system

pytestmark = pytest.mark.more

SHORT = Patience(connect=1, lock=0.5, more=0.5, idle=0.5)
PASSWORD = "s3cret%20w0rd"  # noqa: S105 - of nothing


@contextmanager
def opened(url: str, tmp_path: Path, patience: Patience | None = None) -> Iterator[Ledger]:
    ledger = Ledger.open(url, tmp_path, patience=patience)
    try:
        yield ledger
    finally:
        ledger.close()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds


@contextmanager
def stopped(*pids: int) -> Iterator[None]:
    """Processes of the server stand still."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def backend(ledger: Ledger) -> int:
    with ledger.read() as connection:
        return _pid(connection)


def _pid(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())


def bump(ledger: Ledger) -> None:
    with ledger.begin() as connection:
        counters.bump(connection, "tries", "orders")


def count(ledger: Ledger) -> float:
    with ledger.read() as connection:
        return sum(value for *_, value in counters.totals(connection))


def test_a_writer_waits_for_the_other_one_but_not_for_ever(postgres_url: str, tmp_path: Path) -> None:
    with opened(postgres_url, tmp_path) as one, opened(postgres_url, tmp_path, SHORT) as other:
        with one.begin(), within(5), pytest.raises(StoreError, match="lock timeout"):
            bump(other)
        bump(other)
        assert count(one) == 1


def test_a_writer_that_is_not_heard_of_loses_its_turn_and_cannot_commit(postgres_url: str, tmp_path: Path) -> None:
    def dawdle(ledger: Ledger, other: Ledger) -> None:
        with ledger.begin() as connection:
            counters.bump(connection, "tries", "orders", 100)
            with within(5):
                bump(other)

    with opened(postgres_url, tmp_path, SHORT) as silent, opened(postgres_url, tmp_path) as other:
        with pytest.raises(StoreError, match="idle"):
            dawdle(silent, other)
        assert count(other) == 1


def test_a_server_that_hangs_is_given_up(server: Server, postgres_url: str, tmp_path: Path) -> None:
    with opened(postgres_url, tmp_path, SHORT) as ledger:
        pids = [backend(ledger), server.real.get_pid()]  # nobody answers the door either
        with stopped(*pids), within(12), pytest.raises(StoreError, match="timeout"):
            bump(ledger)
        bump(ledger)
        assert count(ledger) == 1


def test_a_commit_without_an_answer_is_not_taken_for_one(postgres_url: str, tmp_path: Path) -> None:
    def commit(ledger: Ledger, standing: ExitStack) -> None:
        with ledger.begin() as connection:
            counters.bump(connection, "tries", "orders")
            standing.enter_context(stopped(_pid(connection)))

    with opened(postgres_url, tmp_path, SHORT) as ledger, opened(postgres_url, tmp_path) as other:
        with ExitStack() as standing, within(6), pytest.raises(StoreError, match=r"does not answer.*is not known"):
            commit(ledger, standing)
        bump(other)  # the server lets others in once it goes on
        assert count(other) in (1, 2)


def test_a_connection_that_hangs_is_replaced(postgres_url: str, tmp_path: Path) -> None:
    with opened(postgres_url, tmp_path, SHORT) as ledger, stopped(backend(ledger)), within(6):
        bump(ledger)
        assert count(ledger) == 1


def test_a_server_that_is_gone_says_so_and_the_ledger_goes_on_when_it_is_back(
    server: Server, postgres_url: str, tmp_path: Path
) -> None:
    with opened(postgres_url, tmp_path) as ledger:
        bump(ledger)
        server.stop()
        try:
            with within(15), pytest.raises(StoreError, match="cannot be used"):
                bump(ledger)
            with within(15), pytest.raises(StoreError, match="cannot be used"), opened(postgres_url, tmp_path):
                pass
        finally:
            server.start()
        bump(ledger)
        assert count(ledger) == 2


def test_leases_go_by_the_servers_clock_whatever_the_machines_say(server: Server, tmp_path: Path) -> None:
    url = server.new_ledger()
    schema = url.rpartition("%3D")[2]
    server.execute(
        f"CREATE FUNCTION {schema}.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS "
        "$$ SELECT pg_catalog.clock_timestamp() + interval '1 hour' $$"
    )
    with at(tmp_path / "store", ledger=f"{url}%2Cpg_catalog") as place:  # found before the real one
        assert place.seconds == pytest.approx(time.time() + 3600, abs=5)
        assert place.clock().utcoffset() is not None


def test_a_database_with_other_tables_is_left_alone(server: Server, postgres_url: str, tmp_path: Path) -> None:
    server.execute("CREATE TABLE runs (miles int)", postgres_url)
    with pytest.raises(StoreError, match="among other tables; found: runs; hint: give it a database or a schema"):
        Ledger.open(postgres_url, tmp_path)
    assert server.execute("SELECT * FROM runs", postgres_url) == []


@pytest.mark.parametrize(
    ("url", "found"),
    [
        (f"mysql://me:{PASSWORD}@h/d", "mysql://…"),
        (f"postgresql+psycopg2://me:{PASSWORD}@h/d", "postgresql+psycopg2://…"),
        (f"sqlite:///{PASSWORD}", "sqlite://…"),
        (f"me:{PASSWORD}@h", "URL is none"),
        (f"postgresql://me:{PASSWORD}@h:port/d", "URL is none"),
    ],
)
def test_other_databases_are_refused_with_what_is_allowed(url: str, found: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="allowed: postgresql://HOST/DATABASE") as caught:
        Ledger.open(url, tmp_path)
    assert found in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("rest", ["@127.0.0.1:1/d", "@nowhere.invalid/d", "@127.0.0.1:1/d?no_such_option=1"])
def test_no_message_has_the_password(rest: str, tmp_path: Path) -> None:
    pytest.importorskip("psycopg", reason="psycopg is not installed (pip install 'tidegate[postgres]')")
    with pytest.raises(StoreError, match=r"the ledger postgresql://me:\*\*\*@") as caught:
        Ledger.open(f"postgresql://me:{PASSWORD}{rest}", tmp_path)
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))


def test_without_the_driver_the_extra_is_named(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "sys.modules['psycopg'] = None\n"
        "from pathlib import Path\n"
        "from tidegate_flows.ledger import Ledger\n"
        "try:\n"
        "    Ledger.open('postgresql://h/d', Path('.'))\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, error)\n"
    )
    said = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert said.stdout.startswith("UsageError a Postgres ledger needs its driver")
    assert "hint: pip install 'tidegate[postgres]'" in said.stdout


def test_commands_that_only_read_make_no_ledger(
    postgres_url: str, tmp_path: Path, tidegate: Callable[..., Said]
) -> None:
    where = ("--ledger", postgres_url, "--store", "store")
    nowhere = tidegate("breaker", "status", *where)
    assert (nowhere.code, "there is no store here" in nowhere.err) == (2, True), nowhere.err
    (tmp_path / "store").mkdir()
    nothing = tidegate("breaker", "status", env={"TIDEGATE_LEDGER": postgres_url, "TIDEGATE_STORE": "store"})
    assert (nothing.code, "there is no ledger here" in nothing.err) == (2, True), nothing.err


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/", "ext4"),
        ("/data/x", "nfs4"),
        ("/database", "ext4"),
        ("/data/local/y", "xfs"),
        ("/mnt/with space/z", "cifs"),
        ("/home/me", "sshfs"),
        ("/auto/x", "nfs"),
    ],
)
def test_a_folder_lies_on_the_file_system_mounted_deepest_and_last(folder: str, kind: str, tmp_path: Path) -> None:
    table = tmp_path / "mounts"
    table.write_text(
        "/dev/vda / ext4 rw 0 0\n"
        "files:/data /data nfs4 rw 0 0\n"
        "/dev/vdb /data/local xfs rw 0 0\n"
        "//host/share /mnt/with\\040space cifs rw 0 0\n"
        "me@host: /home/me fuse.sshfs rw 0 0\n"
        "systemd-1 /auto autofs rw 0 0\n"
        "files:/auto /auto nfs rw 0 0\n"
    )
    assert file_system(Path(folder), table) == kind
    assert (kind in NETWORK) == (kind not in ("ext4", "xfs"))


@pytest.mark.parametrize(
    ("kind", "refused"), [("nfs4", True), ("fuse.sshfs", True), ("ext4", False), ("fuse.x", False)]
)
def test_a_ledger_in_a_file_is_refused_on_a_network_file_system(kind: str, refused: bool, tmp_path: Path) -> None:
    table = tmp_path / "mounts"
    table.write_text(f"/dev/vda / ext4 rw 0 0\nsomething {tmp_path} {kind} rw 0 0\n")
    if refused:
        with pytest.raises(UsageError, match=r"network file system.*hint: --ledger postgresql://"):
            sqlite_engine(tmp_path / "ledger.db", table)
    else:
        sqlite_engine(tmp_path / "ledger.db", table).dispose()
