"""A hundred times the ledger's server loses its power at any moment: nothing is published twice, nothing is lost."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import tidegate as tg
from tests.flows.invariants import Invariants
from tests.flows.ledger_suite.server import Server, running
from tidegate_flows.ledger import audit, counters, runs
from tidegate_flows.place import at

pytestmark = pytest.mark.long

RESTARTS = int(os.environ.get("TIDEGATE_RESTARTS", "100"))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as found:
        yield found


def test_each_batch_is_published_once_however_often_the_server_dies(
    server: Server,
    tmp_path: Path,
    contract: tg.Contract,
    make_orders: Callable[..., pd.DataFrame],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TIDEGATE_LEASE", "1")
    url, store, chance, died = server.new_ledger(), tmp_path / "store", np.random.default_rng(7), 0
    for number in (-1, 0):  # the first is slower than the others
        started = time.monotonic()
        tg.gate(make_orders(number), contract, store=store, ledger=url, batch_id=f"b{number}").require_published()
        usual = time.monotonic() - started
    with ThreadPoolExecutor(1) as pool:
        for number in range(1, RESTARTS + 1):
            frame = make_orders(number)

            def gate(frame: pd.DataFrame = frame, batch: str = f"b{number}") -> tg.Run:
                return tg.gate(frame, contract, store=store, ledger=url, batch_id=batch)

            worker = pool.submit(gate)
            time.sleep(chance.uniform(0, usual))
            server.stop()
            with suppress(tg.StoreError):
                died += worker.exception() is not None
                worker.result()  # whatever else it raised is a fault
            before = {path.name for path in (store / "orders" / "published").iterdir()}
            server.start()
            run = gate().require_published()
            assert len(run.rows()) == len(frame)
            assert before <= {path.name for path in (store / "orders" / "published").iterdir()}
    print(f"{died} of {RESTARTS} times the server died in the middle of something")  # noqa: T201 - figures for -rP
    assert died > RESTARTS / 4, "it died too seldom in the middle of something"
    _nothing_is_twice_or_lost(store, url)


def _nothing_is_twice_or_lost(store: Path, url: str) -> None:
    names = {f"b{number}" for number in range(-1, RESTARTS + 1)}
    assert {path.stem for path in (store / "orders" / "published").iterdir()} == names
    with at(store, ledger=url) as place:
        Invariants(place, "orders", "order_id").look_at_rest()
    with at(store, ledger=url) as place, place.ledger.read() as connection:
        entries = [(entry["event"], entry["batch"]) for entry in audit.entries(connection)]
        assert sorted(entries) == sorted(("batch.published", name) for name in names)
        assert len(runs.history(connection, "orders")) == len(names)
        assert runs.unmoved(connection) == []
        totals = {name: value for name, _, _, value in counters.totals(connection)}
    assert totals["batches_total"] == len(names)
    assert totals["rows_total"] == 200 * len(names)
