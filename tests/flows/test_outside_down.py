"""When things outside are down or hang: no verdict changes, no batch waits long, and without a ledger nothing moves."""

from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import pandas as pd
import pytest

import tidegate as tg
from tests.flows.conftest import Said
from tests.flows.invariants import Invariants
from tidegate_contracts.suppression import Suppression
from tidegate_contracts.upstream import Upstream
from tidegate_flows.gate import gate_at
from tidegate_flows.ledger import batches
from tidegate_flows.place import at
from tidegate_flows.prefect_patience import Patience
from tidegate_flows.pushing import push
from tidegate_flows.settings import resolve

Make = Callable[..., pd.DataFrame]
LONGEST = 5.0  # seconds that anything outside may cost a batch


@pytest.fixture
def hole() -> Iterator[int]:
    """The port of a server that accepts and never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(16)
        yield int(server.getsockname()[1])


@pytest.fixture
def batch(tmp_path: Path, make_orders: Make) -> Path:
    """A good day."""
    path = tmp_path / "day.parquet"
    make_orders(1).to_parquet(path, index=False)
    return path


def files(folder: Path) -> dict[str, bytes]:
    """Everything in a store but the ledger's own files, and what is locked or staged at the moment."""
    found = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("ledger.db"))
    return {str(path.relative_to(folder)): path.read_bytes() for path in found if path.name != ".lock"}


def test_a_manifest_that_never_ends_is_told_at_once(
    store: Path, make_contract: Callable[..., tg.Contract], batch: Path
) -> None:
    os.mkfifo(batch.with_name("day.json"))  # whoever opened it would wait for who writes it
    contract = make_contract(upstream=(Upstream("orders system", manifest="{batch}.json"),))
    with pytest.raises(tg.StoreError, match=r"manifest day.json cannot be read; found: it is no regular file"):
        tg.gate(batch, contract, store=store)
    assert not (store / "orders").exists()
    batch.with_name("day.json").unlink()
    batch.with_name("day.json").write_text('{"rows": 200}')
    tg.gate(batch, contract, store=store).require_published()


def test_a_suppression_list_that_never_ends_is_told_at_once(
    store: Path, make_contract: Callable[..., tg.Contract], batch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the contract has no file of its own
    os.mkfifo("opted-out.txt")
    contract = make_contract(suppression=Suppression("order_id", "opted-out.txt"))
    with pytest.raises(tg.StoreError, match="no regular file"):
        tg.gate(batch, contract, store=store)
    assert not (store / "orders").exists()
    Path("opted-out.txt").unlink()
    Path("opted-out.txt").write_text("")
    tg.gate(batch, contract, store=store).require_published()


def test_a_pushgateway_that_hangs_or_is_gone_costs_a_bounded_time_and_no_verdict(
    store: Path, contract: tg.Contract, batch: Path, hole: int
) -> None:
    run = tg.gate(batch, contract, store=store)
    for port, seconds in ((hole, 0.3), (9, LONGEST)):
        started = monotonic()
        assert push(resolve(store=store), f"http://127.0.0.1:{port}", seconds=seconds).refused is not None
        assert monotonic() - started < LONGEST
    again = tg.gate(batch, contract, store=store)
    assert (again.id, again.decision) == (run.id, tg.Decision.PUBLISH)


def test_whatever_fails_beside_a_verdict_shares_one_wait() -> None:
    waited = Patience()
    assert waited.seconds <= LONGEST

    def write() -> None:
        raise OSError("no space is left for the artifact")

    for _ in range(5):  # report, artifact, link, event, slot
        assert waited.attempt("keep the report", write) is None
    assert waited.lost, "it is not asked again"


@pytest.mark.more
def test_a_page_whose_port_is_taken_says_so_and_batches_pass(
    tidegate: Callable[..., Said], contract_file: Callable[..., Path], batch: Path, store: Path, hole: int
) -> None:
    tg.gate(batch, contract_file(), store=store, batch_id="first").require_published()
    taken = tidegate("serve", "--port", hole, "--store", store)
    assert (taken.code, "cannot be used" in taken.err, "Traceback" in taken.err) == (2, True, False), taken.err
    tg.require_closed("orders", store=store)
    again = tidegate("gate", contract_file(), batch, "--batch-id", "first", "--store", store)
    assert (again.code, "decided before" in again.out) == (0, True)


def test_without_a_readable_ledger_there_is_no_verdict_and_nothing_moves(
    tidegate: Callable[..., Said], contract_file: Callable[..., Path], batch: Path, make_orders: Make, store: Path
) -> None:
    tg.gate(make_orders(2), contract_file(), store=store, batch_id="before").require_published()
    before, ledger = files(store), store / "ledger.db"
    good = ledger.read_bytes()
    ledger.write_bytes(b"this is no database, it only looks like a long enough file" * 200)
    down = tidegate("gate", contract_file(), batch, "--store", store)
    assert (down.code, "hint:" in down.err, "Traceback" in down.err) == (3, True, False), down.err
    assert files(store) == before
    ledger.write_bytes(good)
    tg.gate(batch, contract_file(), store=store).require_published()
    with at(store) as place:
        Invariants(place, "orders", "order_id").look_at_rest()


@pytest.mark.more
def test_a_postgres_that_is_gone_gives_no_verdict_and_nothing_moves(
    tidegate: Callable[..., Said], contract_file: Callable[..., Path], batch: Path, store: Path
) -> None:
    pytest.importorskip("psycopg", reason="psycopg is not installed (pip install 'tidegate[postgres]')")
    down = tidegate(
        "gate", contract_file(), batch, "--store", store, "--ledger", "postgresql://me@127.0.0.1:9/tidegate"
    )
    assert (down.code, "hint:" in down.err, "Traceback" in down.err) == (3, True, False), down.err
    assert files(store) == {}


@pytest.mark.more
def test_a_postgres_that_never_answers_is_given_up_and_nothing_moves(
    tidegate: Callable[..., Said], contract_file: Callable[..., Path], batch: Path, store: Path, hole: int
) -> None:
    pytest.importorskip("psycopg", reason="psycopg is not installed (pip install 'tidegate[postgres]')")
    url = f"postgresql://me@127.0.0.1:{hole}/tidegate"
    down = tidegate("gate", contract_file(), batch, "--store", store, "--ledger", url)
    assert (down.code, "Traceback" in down.err) == (3, False), down.err
    assert files(store) == {}


@pytest.mark.long
def test_a_ledger_that_somebody_keeps_locked_gives_no_verdict_after_a_minute_and_nothing_moves(
    tidegate: Callable[..., Said], contract_file: Callable[..., Path], batch: Path, make_orders: Make, store: Path
) -> None:
    tg.gate(make_orders(2), contract_file(), store=store, batch_id="before").require_published()
    before = files(store)
    with closing(sqlite3.connect(store / "ledger.db", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        down = tidegate("gate", contract_file(), batch, "--store", store)
        connection.execute("ROLLBACK")
    assert (down.code, "locked" in down.err, "Traceback" in down.err) == (3, True, False), down.err
    assert files(store) == before
    tg.gate(batch, contract_file(), store=store).require_published()


def test_a_worker_waits_for_another_ones_lease_by_the_clock_and_no_longer(
    store: Path, contract: tg.Contract, make_orders: Make
) -> None:
    now, slept = [datetime(2024, 6, 1, tzinfo=UTC).timestamp()], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    frame = make_orders(1)
    with at(store, clock=lambda: datetime.fromtimestamp(now[0], UTC)) as opened:
        place = replace(opened, sleep=sleep, lease=3.0)
        with place.ledger.begin() as connection:
            batches.claim(connection, "orders", "a", "00", now=now[0], lease=3.0)  # and then it died
        gate_at(place, frame, contract, batch_id="a").require_published()
        Invariants(place, "orders", "order_id").look_at_rest()
    assert 2.9 < sum(slept) < 3.2
