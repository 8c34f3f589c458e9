"""Revisions that wait or were refused: which of them is published in the end, and under which name they are kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import tidegate as tg
from tests.flows.test_supersede import SIGNED, names, speaking, told
from tidegate_flows import by_hand, quarantine, readmission
from tidegate_flows import gate as gating
from tidegate_flows.gate import gate_at
from tidegate_flows.ledger import breakers
from tidegate_flows.ledger.batches import Revision
from tidegate_flows.place import at
from tidegate_flows.quarantine import kept
from tidegate_monitors.breaker import Breaker

Make = Callable[..., pd.DataFrame]
SIGNED_BY = {"by": "bob", "reason": "a rumour"}


def test_of_two_revisions_that_wait_the_one_that_was_signed_last_is_published(
    store: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    path = contract_file()
    tg.gate(make_orders(1), path, store=store, batch_id="a")
    with at(store) as place:
        by_hand.trip(place, "orders", by="bob", reason="a rumour")
    older = tg.gate(make_orders(1, 220), path, store=store, batch_id="a", **SIGNED)  # its window ends last
    newer = tg.gate(make_orders(1, 220)[:150], path, store=store, batch_id="a", **{**SIGNED, "reason": "once more"})
    assert older.key is not None
    assert (older.decision, newer.decision) == (tg.Decision.HOLD, tg.Decision.HOLD)
    assert (names(store, "quarantine"), speaking(store)) == ({newer.key}, {"a": "publish", newer.key: "hold"})
    assert [name.startswith(older.key) for name in names(store, "superseded")] == [True], "its bytes are kept"
    assert told(store)[-2:] == [("batch.superseded", "a", "ann", "once more"), ("batch.held", "a", None, None)]
    with at(store) as place:
        _, released = by_hand.close(place, "orders", by="bob", reason="it was none")
    assert [(run.batch, run.revision, run.counts.published) for run in released] == [("a", 2, 150)]
    assert (names(store), names(store, "quarantine")) == ({"a.v2.parquet"}, set())
    assert speaking(store) == {"a": "publish"}


def test_a_refused_revision_that_somebody_releases_takes_the_place_of_one_that_waits(
    store: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    path = contract_file()
    tg.gate(make_orders(1), path, store=store, batch_id="a")
    refused = tg.gate(make_orders(2).assign(amount=-1.0), path, store=store, batch_id="a", **SIGNED)
    waits = tg.gate(make_orders(1, 220), path, store=store, batch_id="a", **SIGNED)
    assert (refused.decision, waits.decision) == (tg.Decision.QUARANTINE, tg.Decision.HOLD)
    with at(store) as place:
        readmission.release(place, "orders", str(refused.key), by="eve", reason="they are right")
        assert speaking(store) == {"a": "publish"}
        _, released = by_hand.close(place, "orders", by="bob", reason="it is known")
    assert (released, names(store), names(store, "quarantine")) == ([], {"a.v2.parquet"}, set())
    again = tg.gate(make_orders(1, 220), path, store=store, batch_id="a", **SIGNED).require_published()
    assert again.revision == 3, "what made way may come again"


def test_a_revision_that_was_refused_because_upstream_was_not_ready_is_judged_anew_when_it_is(
    tmp_path: Path, store: Path, make_contract: Callable[..., tg.Contract], make_orders: Make
) -> None:
    contract = make_contract(upstream=(tg.Upstream("till", marker="{batch}.done"),), failure_threshold=2)
    path, marker = tmp_path / "a.parquet", tmp_path / "a.done"
    make_orders(1).to_parquet(path, index=False)
    marker.touch()
    first = tg.gate(path, contract, store=store).require_published()
    marker.unlink()
    make_orders(1, 220).to_parquet(path, index=False)
    refused = tg.gate(path, contract, store=store, **SIGNED)
    assert refused.decision is tg.Decision.QUARANTINE
    assert tg.gate(path, contract, store=store).id == refused.id, "it is not ready yet"
    marker.touch()
    run = tg.gate(path, contract, store=store).require_published()
    assert run.id not in (first.id, refused.id)
    assert (run.repeated, run.revision, run.counts.published) == (False, 2, 220)
    assert (names(store), names(store, "quarantine"), speaking(store)) == ({"a.v2.parquet"}, set(), {"a": "publish"})
    assert tg.gate(path, contract, store=store).id == run.id


def test_the_hint_of_a_refused_revision_names_where_it_is_kept(
    store: Path, contract: tg.Contract, make_orders: Make
) -> None:
    tg.gate(make_orders(1), contract, store=store, batch_id="a")
    refused = tg.gate(make_orders(2).assign(amount=-1.0), contract, store=store, batch_id="a", **SIGNED)
    (key,) = names(store, "quarantine")
    with pytest.raises(tg.Halted, match=f"tidegate quarantine show orders {key}$"):
        refused.require_published()
    assert (refused.batch, refused.key, refused.to_dict()["key"]) == ("a", key, key)
    with at(store) as place:
        assert quarantine.details(place, "orders", key)["run"] == refused.id


def test_a_held_batch_that_was_discarded_stands_for_nothing_any_more(
    store: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    path = contract_file()
    tg.gate(make_orders(0), path, store=store, batch_id="before")
    with at(store) as place:
        by_hand.trip(place, "orders", by="bob", reason="a rumour")
        tg.gate(make_orders(1), path, store=store, batch_id="a")
        readmission.discard(place, "orders", "a", by="ann", reason="the wrong file")
    mended = tg.gate(make_orders(1, 220), path, store=store, batch_id="a")
    assert (mended.decision, mended.key) == (tg.Decision.HOLD, None)
    assert "rewritten_history" not in {item.check for item in mended.findings}
    with at(store) as place:
        _, (run,) = by_hand.close(place, "orders", by="bob", reason="it was none")
    assert (run.batch, run.revision, run.counts.published) == ("a", 1, 220)
    assert "batch.superseded" not in {event for event, *_ in told(store)}


def test_a_revision_of_a_batch_that_was_held_and_discarded_meanwhile_supersedes_nothing(
    store: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    path = contract_file()
    tg.gate(make_orders(0), path, store=store, batch_id="before")
    with at(store) as place:
        by_hand.trip(place, "orders", by="bob", reason="a rumour")
        tg.gate(make_orders(1), path, store=store, batch_id="a")
        bad = tg.gate(make_orders(1, 220).assign(amount=-1.0), path, store=store, batch_id="a", **SIGNED)
        readmission.discard(place, "orders", "a", by="ann", reason="the wrong file")
        run = readmission.release(place, "orders", str(bad.key), by="eve", reason="they are right")
    assert (run.batch, run.revision, run.key) == ("a", 1, None)
    assert "batch.superseded" not in {event for event, *_ in told(store)}
    assert speaking(store) == {"before": "publish", "a": "publish"}


def test_a_revision_is_kept_back_since_it_came_and_not_since_what_it_supersedes_did(
    store: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    contract, now, some = tg.load_contract(contract_file()), datetime(2024, 6, 1, tzinfo=UTC), make_orders(1, 210)
    some.loc[some.index[3], "amount"] = -1.0
    with at(store, clock=lambda: now) as place:
        gate_at(place, make_orders(1), contract, batch_id="a").require_published()
    with at(store, clock=lambda: now + timedelta(days=10)) as place:
        by_hand.trip(place, "orders", **SIGNED_BY)
        gate_at(place, some, contract, batch_id="a", revision=Revision(**SIGNED_BY))
        by_hand.close(place, "orders", **SIGNED_BY)
        assert [(item["batch"], item["state"], item["kept_since"][:10]) for item in kept(place)] == [
            ("a", "partial", "2024-06-11")
        ]


@pytest.mark.parametrize("revised", [True, False])
def test_a_batch_that_was_held_and_released_at_once_is_told_as_published(
    store: Path, contract_file: Callable[..., Path], make_orders: Make, monkeypatch: pytest.MonkeyPatch, revised: bool
) -> None:
    contract, real = tg.load_contract(contract_file()), gating.commit
    with at(store) as place:
        gate_at(place, make_orders(1 if revised else 5), contract, batch_id="a" if revised else "z").require_published()
        by_hand.trip(place, "orders", **SIGNED_BY)

        def closed_meanwhile(*arguments: Any, **options: Any) -> tg.Run:
            run = real(*arguments, **options)
            with place.ledger.begin() as connection:  # by somebody who could not take it yet
                breakers.save(connection, "orders", Breaker())
            return run

        monkeypatch.setattr(gating, "commit", closed_meanwhile)
        revision = Revision(**SIGNED_BY) if revised else None
        run = gate_at(place, make_orders(1, 220), contract, batch_id="a", revision=revision)
    assert run.decision is tg.Decision.PUBLISH
    assert [path.name for path in run.files] == ["a.v2.parquet" if revised else "a.parquet"]
