"""The real gate, over every ledger."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pandera.pandas as pa
import pytest

import tidegate as tg
from tests.conftest import Orders
from tests.flows.conftest import TIDEGATE
from tests.flows.ledger_suite.server import Server
from tidegate_flows import by_hand
from tidegate_flows.ledger import audit, runs
from tidegate_flows.place import at

Make = Callable[..., pd.DataFrame]


def events(store: Path, url: str) -> list[tuple[str, str | None]]:
    with at(store, ledger=url) as place, place.ledger.read() as connection:
        assert audit.verify(connection, "orders").first_break is None
        return [(entry["event"], entry["batch"]) for entry in audit.entries(connection)]


def published(store: Path) -> list[str]:
    return sorted(path.name for path in (store / "orders" / "published").glob("*"))


def test_batches_are_published_refused_held_and_released(
    ledger_url: str, store: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    contract, where = contract_file(), {"store": store, "ledger": ledger_url}
    first = tg.gate(make_orders(1), contract, **where, batch_id="a").require_published()
    assert tg.gate(make_orders(1), contract, **where, batch_id="a").id == first.id
    bad = tg.gate(make_orders(2).assign(amount=-1.0), contract, **where, batch_id="b")
    held = tg.gate(make_orders(3), contract, **where, batch_id="c")
    assert (bad.decision, held.decision) == (tg.Decision.QUARANTINE, tg.Decision.HOLD)
    assert published(store) == ["a.parquet"]
    with pytest.raises(tg.Halted, match="open"):
        tg.require_closed("orders", **where)
    with at(store, ledger=ledger_url) as place:
        breaker, released = by_hand.close(place, "orders", by="ana", reason="mended")
    assert breaker.state is tg.State.CLOSED
    assert [(run.batch, run.decision) for run in released] == [("c", tg.Decision.PUBLISH)]
    assert published(store) == ["a.parquet", "c.parquet"]
    tg.require_closed("orders", **where)
    assert events(store, ledger_url) == [
        ("batch.published", "a"),
        ("batch.quarantined", "b"),
        ("breaker.opened", "b"),
        ("batch.held", "c"),
        ("breaker.closed", None),
        ("batch.released", "c"),
    ]


@pytest.mark.more
def test_three_at_once_on_the_same_batches_decide_each_once(
    postgres_url: str, store: Path, contract_file: Callable[..., Path], make_orders: Make, tmp_path: Path
) -> None:
    path, batches = contract_file(), []
    for day in range(2):
        batches.append(tmp_path / f"day-{day}.parquet")
        make_orders(day).to_parquet(batches[-1], index=False)
    where = ["--store", str(store), "--ledger", postgres_url, "--json"]
    command = [str(TIDEGATE), "gate", str(path), *map(str, batches), *where]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    said = [worker.communicate(timeout=120) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0, 0], said
    assert len({json.loads(line)["run"] for out, _ in said for line in out.splitlines()}) == 2
    with at(store, ledger=postgres_url) as place, place.ledger.read() as connection:
        assert len(runs.history(connection, "orders")) == 2
    assert published(store) == ["day-0.parquet", "day-1.parquet"]


def test_a_server_that_dies_in_the_middle_gives_no_verdict_and_the_same_command_works_when_it_is_back(
    server: Server,
    store: Path,
    make_contract: Callable[..., tg.Contract],
    make_orders: Make,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TIDEGATE_LEASE", "1")  # nobody could give the claim back
    url, power = server.new_ledger(), ["on"]

    def the_power_goes(_: object) -> bool:
        if power:
            power.clear()
            server.stop()
        return True

    schema = Orders.to_schema().update_column("items", checks=pa.Check(the_power_goes))
    contract = make_contract(schema=schema)
    try:
        with pytest.raises(tg.StoreError, match="cannot be used"):
            tg.gate(make_orders(1), contract, store=store, ledger=url, batch_id="a")
        assert published(store) == []
    finally:
        server.start()
    run = tg.gate(make_orders(1), contract, store=store, ledger=url, batch_id="a").require_published()
    assert len(run.rows()) == 200
    assert events(store, url) == [("batch.published", "a")]
