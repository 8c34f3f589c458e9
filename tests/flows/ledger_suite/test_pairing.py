"""A store and a ledger that is not in it know each other, so that nobody begins anew beside the others."""

from __future__ import annotations

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.flows.ledger_suite.server import Server
from tidegate_contracts.errors import StoreError, UsageError
from tidegate_flows.ledger import counters
from tidegate_flows.ledger.pairing import NAME
from tidegate_flows.place import at

pytestmark = pytest.mark.more


def test_a_host_with_a_folder_of_its_own_is_refused(postgres_url: str, tmp_path: Path) -> None:
    with at(tmp_path / "shared", ledger=postgres_url):
        pass
    (tmp_path / "own").mkdir()
    for must_exist in (False, True):
        with (
            pytest.raises(UsageError, match=r"do not belong together.*own, the ledger postgresql://"),
            at(tmp_path / "own", ledger=postgres_url, must_exist=must_exist),
        ):
            pass
    with at(tmp_path / "shared", ledger=postgres_url, must_exist=True) as place, place.ledger.read() as connection:
        assert list(counters.totals(connection)) == []


def test_a_host_that_was_not_told_of_the_ledger_is_refused(postgres_url: str, store: Path) -> None:
    with at(store, ledger=postgres_url):
        pass
    for must_exist in (False, True):
        with pytest.raises(UsageError, match="--ledger or TIDEGATE_LEDGER"), at(store, must_exist=must_exist):
            pass
    assert not (store / "ledger.db").exists()


def test_a_store_does_not_change_its_ledger(server: Server, postgres_url: str, store: Path, tmp_path: Path) -> None:
    with at(store, ledger=postgres_url):
        pass
    (store / "orders").mkdir()
    with pytest.raises(UsageError, match="has one already"), at(store, ledger=server.new_ledger()):
        pass
    with at(tmp_path / "file"):
        pass
    with pytest.raises(UsageError, match="has one already"), at(tmp_path / "file", ledger=server.new_ledger()):
        pass
    with at(tmp_path / "file"):
        pass


def test_hosts_that_are_the_first_at_once_agree(postgres_url: str, store: Path) -> None:
    def first(_: int) -> str:
        with at(store, ledger=postgres_url):
            return (store / NAME).read_text()

    with ThreadPoolExecutor(3) as pool:
        assert len(set(pool.map(first, range(3)))) == 1


def test_a_first_start_that_crashed_is_finished(server: Server, store: Path) -> None:
    with at(store, ledger=server.new_ledger()):
        said = (store / NAME).read_text()
    with at(store, ledger=server.new_ledger()):  # as if the ledger had not been committed
        assert (store / NAME).read_text() == said


DIES = """
import resource, signal, sys
from pathlib import Path
import psycopg
from tidegate_flows.place import at
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
with at(Path(sys.argv[1]), ledger=sys.argv[2]):
    pass
"""
"""Killed by the kernel at the first byte that it writes to a file."""


def test_a_first_start_that_died_with_half_a_word_is_made_again(postgres_url: str, store: Path) -> None:
    arguments = [sys.executable, "-c", DIES, str(store), postgres_url]
    died = subprocess.run(arguments, check=False, capture_output=True, timeout=60)
    assert died.returncode == -signal.SIGXFSZ, died.stderr
    with at(store, ledger=postgres_url):
        said = (store / NAME).read_text()
    with at(store, ledger=postgres_url, must_exist=True):
        assert (store / NAME).read_text() == said


@pytest.mark.parametrize("text", ["", "[]", '{"format": 1}', '{"format": 2, "store": "x"}'])
def test_what_cannot_be_read_is_no_new_store(text: str, store: Path) -> None:
    store.mkdir()
    (store / NAME).write_text(text)
    with pytest.raises(StoreError, match=r"cannot be read|newer"), at(store):
        pass
