"""The gate, at a real store."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pr
import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tidegate as tg
from tidegate_contracts.circumstances import Circumstances
from tidegate_contracts.severity import Severity
from tidegate_flows import by_hand, readmission, reference
from tidegate_flows.intake import decode, stage
from tidegate_flows.ledger import audit, counters, runs
from tidegate_flows.passage import observed
from tidegate_flows.place import at
from tidegate_monitors.verdict import observe

Make = Callable[..., pd.DataFrame]
NOW = datetime(2024, 4, 1, tzinfo=UTC)


def checks(run: tg.Run) -> set[str]:
    return {finding.check for finding in run.findings}


def criticals(run: tg.Run) -> set[str]:
    return {finding.check for finding in run.findings if finding.severity is Severity.CRITICAL}


def published(store: Path) -> set[str]:
    return {path.name for path in (store / "orders" / "published").glob("*")}


def test_a_good_batch_is_published_as_the_bytes_that_came(
    tmp_path: Path, with_reference: Path, contract: tg.Contract, make_orders: Make
) -> None:
    path = tmp_path / "2024-03-30.parquet"
    make_orders(29).to_parquet(path, index=False)
    run = tg.gate(path, contract, store=with_reference)
    assert run.decision is tg.Decision.PUBLISH
    assert run.published == with_reference / "orders" / "published" / "2024-03-30.parquet"
    assert run.published.read_bytes() == path.read_bytes()
    assert run.counts.to_dict() == {"in": 200, "published": 200, "quarantined": 0, "held": 0}


def test_the_same_batch_again_gives_the_stored_run_and_does_nothing(
    with_reference: Path, contract: tg.Contract, make_orders: Make
) -> None:
    first = tg.gate(make_orders(30), contract, store=with_reference, batch_id="a")
    with at(with_reference) as place, place.ledger.begin() as connection:
        before = list(audit.entries(connection))
    again = tg.gate(make_orders(30), contract, store=with_reference, batch_id="a")
    with at(with_reference) as place, place.ledger.begin() as connection:
        assert list(audit.entries(connection)) == before
    assert again.id == first.id


def test_rows_that_fail_are_set_aside_with_every_reason_and_the_rest_is_published(
    with_reference: Path, contract: tg.Contract, make_orders: Make
) -> None:
    frame = make_orders(31)
    frame.loc[5, ["amount", "items"]] = [-1.0, 0]
    frame.loc[9, "country"] = "XX"
    run = tg.gate(frame, contract, store=with_reference, batch_id="b").require_published()
    assert run.counts.to_dict() == {"in": 200, "published": 198, "quarantined": 2, "held": 0}
    folder = with_reference / "orders" / "quarantine" / "b"
    reasons = pq.read_table(folder / "reasons.parquet").to_pandas()
    assert set(zip(reasons["row"], reasons["check"], reasons["column"], strict=True)) == {
        (5, "impossible_values", "amount"),
        (5, "impossible_values", "items"),
        (9, "category_change", "country"),
    }
    assert reasons["key"].tolist()[0] == '["o31-5"]'
    aside = pq.read_table(folder / "rows.parquet").to_pandas()
    assert aside["order_id"].tolist() == ["o31-5", "o31-9"]
    assert json.loads((folder / "manifest.json").read_text())["state"] == "partial"
    assert not tg.check(run.published, contract).findings or tg.check(run.published, contract).passed
    assert tg.check(run.published, contract).set_aside == 0


@given(bad=st.sets(st.integers(0, 39), max_size=40), tolerance=st.sampled_from([0.0, 0.1, 0.5, 0.99]))
def test_no_row_is_lost_or_doubled_whatever_fails(
    tmp_path_factory: pytest.TempPathFactory,
    make_contract: Callable[..., tg.Contract],
    make_orders: Make,
    bad: set[int],
    tolerance: float,
) -> None:
    store = tmp_path_factory.mktemp("store")
    frame = make_orders(1, 40)
    frame.loc[sorted(bad), "amount"] = -1.0
    contract = make_contract(tolerance=tolerance)
    run = tg.gate(frame, contract, store=store, batch_id="x")
    refused = len(bad) > tolerance * 40 or len(bad) == 40
    assert (run.decision is tg.Decision.QUARANTINE) == refused
    kept = [] if refused else run.rows()["order_id"].tolist()
    folder = store / "orders" / "quarantine" / "x"
    aside = pq.read_table(next(folder.glob("*.parquet"), None) or run.published) if refused else None
    if aside is None and bad:
        aside = pq.read_table(folder / "rows.parquet")
    if refused:
        assert pq.read_table(folder / "batch.parquet").num_rows == 40
    else:
        together = kept + ([] if aside is None else aside.column("order_id").to_pylist())
        assert sorted(together) == sorted(frame["order_id"])
        assert tg.check(run.published, contract).set_aside == 0


def test_a_broken_batch_is_quarantined_byte_by_byte_and_opens_the_breaker(
    tmp_path: Path, with_reference: Path, contract: tg.Contract, make_orders: Make
) -> None:
    path = tmp_path / "broken.csv"
    make_orders(32).assign(amount=-5).to_csv(path, index=False)
    run = tg.gate(path, contract, store=with_reference)
    assert (run.decision, run.state, "impossible_values" in criticals(run)) == (
        tg.Decision.QUARANTINE,
        tg.State.OPEN,
        True,
    )
    kept = with_reference / "orders" / "quarantine" / "broken" / "batch.csv"
    assert kept.read_bytes() == path.read_bytes()
    assert kept.stat().st_mode & 0o222 == 0
    assert published(with_reference) == set()
    with pytest.raises(tg.Halted, match="impossible_values"):
        run.require_published()
    with pytest.raises(tg.Halted, match=r"open.*because of impossible_values in batch broken"):
        tg.require_closed("orders", store=with_reference)


def test_bytes_that_are_not_what_their_name_says_are_quarantined_as_unreadable(
    tmp_path: Path, with_reference: Path, contract: tg.Contract
) -> None:
    path = tmp_path / "torn.parquet"
    path.write_bytes(b"PAR1 and then nothing")
    run = tg.gate(path, contract, store=with_reference)
    assert run.decision is tg.Decision.QUARANTINE
    assert criticals(run) == {"unreadable"}
    assert (with_reference / "orders" / "quarantine" / "torn" / "batch.parquet").read_bytes() == path.read_bytes()


def test_good_batches_are_held_while_the_breaker_is_open_and_released_when_it_is_closed(
    with_reference: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    path = contract_file()
    tg.gate(make_orders(33).assign(amount=-1.0), path, store=with_reference, batch_id="bad")
    late = tg.gate(make_orders(36), path, store=with_reference, batch_id="later")
    early = tg.gate(make_orders(35), path, store=with_reference, batch_id="earlier")
    assert (late.decision, early.decision) == (tg.Decision.HOLD, tg.Decision.HOLD)
    assert late.counts.held == 200
    assert published(with_reference) == set()
    with at(with_reference) as place:
        breaker, released = by_hand.close(place, "orders", by="ann", reason="upstream mended")
    assert breaker.state is tg.State.CLOSED
    assert [run.batch for run in released] == ["earlier", "later"], "released in event order"
    assert published(with_reference) == {"earlier.parquet", "later.parquet"}
    assert {p.name for p in (with_reference / "orders" / "quarantine").iterdir()} == {"bad"}
    with at(with_reference) as place, place.ledger.begin() as connection:
        said = [(entry["event"], entry["by"], entry["reason"]) for entry in audit.entries(connection, "orders")]
    assert ("breaker.closed", "ann", "upstream mended") in said
    assert ("batch.released", "ann", None) in said


def test_a_held_batch_is_released_at_the_next_arrival_when_the_contract_was_an_object(
    with_reference: Path, contract: tg.Contract, make_orders: Make
) -> None:
    tg.gate(make_orders(33).assign(amount=-1.0), contract, store=with_reference, batch_id="bad")
    tg.gate(make_orders(34), contract, store=with_reference, batch_id="waits")
    with at(with_reference) as place:
        _, released = by_hand.close(place, "orders", by="ann", reason="mended")
    assert released == []
    tg.gate(make_orders(35), contract, store=with_reference, batch_id="next").require_published()
    assert published(with_reference) == {"waits.parquet", "next.parquet"}


def test_after_the_cool_down_the_oldest_held_batch_is_the_probe(
    with_reference: Path, make_contract: Callable[..., tg.Contract], make_orders: Make
) -> None:
    contract = make_contract(cool_down=timedelta(hours=36))

    def gate(day: int, name: str, frame: pd.DataFrame | None = None) -> tg.Run:
        frame = make_orders(day) if frame is None else frame
        return tg.gate(frame, contract, store=with_reference, batch_id=name, as_of="window")

    assert gate(40, "d40", make_orders(40).assign(items=0)).state is tg.State.OPEN
    assert gate(41, "d41").decision is tg.Decision.HOLD
    assert gate(42, "d42").decision is tg.Decision.PUBLISH
    assert published(with_reference) == {"d41.parquet", "d42.parquet"}
    tg.require_closed("orders", store=with_reference)


def test_a_probe_that_fails_opens_the_breaker_again_and_the_next_batch_is_held(
    with_reference: Path, make_contract: Callable[..., tg.Contract], make_orders: Make
) -> None:
    contract = make_contract(cool_down=timedelta(hours=1))
    bad = make_orders(40).assign(items=0)
    tg.gate(bad, contract, store=with_reference, batch_id="a", as_of=NOW)
    probe = tg.gate(bad.assign(items=-1), contract, store=with_reference, batch_id="b", as_of=NOW + timedelta(hours=2))
    assert (probe.decision, probe.state) == (tg.Decision.QUARANTINE, tg.State.OPEN)
    after = tg.gate(make_orders(41), contract, store=with_reference, batch_id="c", as_of=NOW + timedelta(hours=2.5))
    assert after.decision is tg.Decision.HOLD


def test_other_bytes_under_a_known_id_are_rewritten_history_and_leave_what_was_published_alone(
    with_reference: Path, contract: tg.Contract, make_orders: Make
) -> None:
    first = tg.gate(make_orders(30), contract, store=with_reference, batch_id="a").require_published()
    before = first.published.read_bytes() if first.published else b""
    second = tg.gate(make_orders(31), contract, store=with_reference, batch_id="a")
    assert criticals(second) == {"rewritten_history"}
    assert first.published is not None
    assert first.published.read_bytes() == before
    folders = {path.name for path in (with_reference / "orders" / "quarantine").iterdir()}
    assert len(folders) == 1
    assert next(iter(folders)).startswith("a~")


def test_the_same_rows_under_another_name_are_a_redelivery_even_reordered_and_in_another_format(
    tmp_path: Path, with_reference: Path, contract: tg.Contract, make_orders: Make
) -> None:
    frame = make_orders(30)
    tg.gate(frame, contract, store=with_reference, batch_id="monday").require_published()
    path = tmp_path / "tuesday.csv"
    frame.sample(frac=1, random_state=1).to_csv(path, index=False)
    assert criticals(tg.gate(path, contract, store=with_reference)) == {"redelivered_batch"}


def test_a_quarantined_batch_may_come_again_under_another_name(
    with_reference: Path, make_contract: Callable[..., tg.Contract], make_orders: Make
) -> None:
    frame = make_orders(30).assign(amount=20_000.0)
    tg.gate(frame, make_contract(), store=with_reference, batch_id="a")
    again = tg.gate(frame, make_contract(), store=with_reference, batch_id="b")
    assert "redelivered_batch" not in checks(again)


def test_rows_come_back_as_the_kind_of_frame_that_was_brought(
    tmp_path: Path, store: Path, contract: tg.Contract, make_orders: Make
) -> None:
    frame = make_orders(1)
    path = tmp_path / "file.parquet"
    make_orders(2).to_parquet(path, index=False)
    pandas_rows = tg.gate(frame, contract, store=store).rows()
    polars_rows = tg.gate(pl.from_pandas(make_orders(3)), contract, store=store).rows()
    assert isinstance(pandas_rows, pd.DataFrame)
    assert isinstance(polars_rows, pl.DataFrame)
    assert tg.gate(path, contract, store=store).rows().num_rows == 200
    pd.testing.assert_series_equal(pandas_rows["amount"], frame["amount"])


def test_a_contract_with_an_alarm_budget_is_refused_without_a_reference_and_nothing_is_stored(
    store: Path, make_contract: Callable[..., tg.Contract], make_orders: Make
) -> None:
    contract = make_contract(alarm_budget=tg.AlarmBudget(one_in=20))
    with pytest.raises(tg.UsageError, match="no approved reference"):
        tg.gate(make_orders(1), contract, store=store, batch_id="a")
    assert not (store / "orders").exists()
    with at(store) as place, place.ledger.begin() as connection:
        assert runs.current(connection) == []


def test_without_budget_and_reference_the_rules_hold_and_the_gap_is_said(
    store: Path, contract: tg.Contract, make_orders: Make
) -> None:
    run = tg.gate(make_orders(1), contract, store=store).require_published()
    assert [(f.check, f.kind) for f in run.findings] == [("insufficient_evidence", "insufficient_evidence")]


def test_a_check_that_raises_is_our_failure_is_counted_and_publishes_nothing(
    store: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    path = contract_file()
    path.write_text(
        path.read_text().replace(
            "    class Config:",
            '    @pa.check("amount")\n    def boom(cls, s):\n        return 1 / 0\n    class Config:',
        )
    )
    for _ in range(2):
        with pytest.raises(tg.MonitorError, match="boom"):
            tg.gate(make_orders(1), path, store=store, batch_id="a")
    with at(store) as place, place.ledger.begin() as connection:
        totals = {(name, dataset): value for name, dataset, _, value in counters.totals(connection)}
    assert totals["monitor_errors_total", "orders"] == 2
    assert published(store) == set()
    assert tg.gate(make_orders(1), contract_file(), store=store, batch_id="a").decision is tg.Decision.PUBLISH


def test_a_unit_change_is_found_by_the_gate_on_its_column(
    with_reference: Path, make_contract: Callable[..., tg.Contract], make_orders: Make
) -> None:
    frame = make_orders(30)
    clean = tg.gate(frame, make_contract(), store=with_reference, batch_id="clean")
    assert clean.decision is tg.Decision.PUBLISH
    other = make_orders(31)
    cents = tg.gate(other.assign(amount=other["amount"] * 10), make_contract(), store=with_reference, batch_id="x10")
    assert [(f.check, f.column) for f in cents.findings if f.severity is Severity.CRITICAL] == [
        ("unit_change", "amount")
    ]


def test_the_audit_is_a_chain_that_shows_every_edit(store: Path, contract: tg.Contract, make_orders: Make) -> None:
    for day in range(3):
        tg.gate(make_orders(day), contract, store=store, batch_id=f"d{day}")
    with at(store) as place:
        with place.ledger.begin() as connection:
            assert audit.verify(connection, "orders").first_break is None
            connection.exec_driver_sql("UPDATE audit SET batch='d9' WHERE seq=2")
        with place.ledger.begin() as connection:
            assert audit.verify(connection, "orders").first_break == 2


def test_a_misspelt_guard_is_refused(store: Path, contract: tg.Contract, make_orders: Make) -> None:
    tg.gate(make_orders(1), contract, store=store, batch_id="a")
    tg.require_closed("orders", store=store)
    with pytest.raises(tg.UsageError, match="no such dataset"):
        tg.require_closed("order", store=store)


def test_an_empty_batch_is_not_another_empty_batch_again(
    store: Path, make_contract: Callable[..., tg.Contract], make_orders: Make
) -> None:
    contract = make_contract(rows_min=0)
    for name in ("e1", "e2"):
        tg.gate(make_orders(1)[:0], contract, store=store, batch_id=name).require_published()


def test_a_mended_batch_may_come_under_the_id_of_the_one_that_was_refused(
    store: Path, contract: tg.Contract, make_orders: Make
) -> None:
    tg.gate(make_orders(1).assign(amount=-1.0), contract, store=store, batch_id="a")
    mended = tg.gate(make_orders(1), contract, store=store, batch_id="a")
    assert mended.decision is tg.Decision.HOLD, "the breaker is still open, but no history was rewritten"
    with at(store) as place:
        by_hand.close(place, "orders", by="ann", reason="mended")
    tg.gate(make_orders(2), contract, store=store, batch_id="b").require_published()
    assert published(store) == {"a.parquet", "b.parquet"}
    assert len(list((store / "orders" / "superseded").iterdir())) == 1, "the refused bytes are kept"


def test_window_time_stands_still_for_a_batch_that_has_no_window(
    store: Path, contract: tg.Contract, make_orders: Make, tmp_path: Path
) -> None:
    (tmp_path / "torn.parquet").write_bytes(b"PAR1")
    first = tg.gate(make_orders(1), contract, store=store, batch_id="a", as_of="window")
    torn = tg.gate(tmp_path / "torn.parquet", contract, store=store, as_of="window")
    assert torn.at == first.at


class Talkative:
    """Something that quotes a value when it is asked for anything."""

    def __getattr__(self, name: str) -> Any:
        raise ValueError("ann@example.com")


def test_no_message_about_what_raised_quotes_a_value(contract: tg.Contract, make_orders: Make, tmp_path: Path) -> None:
    batch = decode(stage(make_orders(1), tmp_path), contract)
    waits = replace(contract, upstream=(tg.Upstream("till", marker="_OK"),))
    talkative: Any = Talkative()
    with pytest.raises(tg.MonitorError, match="ValueError") as caught:
        observed(batch, waits, None, Circumstances(upstream=talkative))
    assert "ann" not in str(caught.value)
    seen = observed(batch, contract, None)
    with pytest.raises(tg.MonitorError, match="ValueError") as caught:
        observe(seen.checked, seen.profile, talkative, contract, np.random.default_rng(0))
    assert "ann" not in str(caught.value)


@pytest.mark.parametrize(
    ("index", "level"),
    [
        (pd.RangeIndex(5, 15, name="id"), "id"),
        (pd.Index(range(5, 15), name="id"), "id"),
        (pd.RangeIndex(10), None),
        (pd.Index(range(5, 15)), None),
    ],
    ids=["a named range", "a named column", "positions", "an unnamed column"],
)
def test_an_index_is_found_however_pandas_keeps_it(index: Any, level: str | None, tmp_path: Path, store: Path) -> None:
    schema = pr.DataFrameSchema({"x": pr.Column(float)}, index=pr.Index(int, name=level), strict=True)
    contract = tg.Contract(name="things", version="1.0.0", owner="tests", schema=schema)
    frame = pd.DataFrame({"x": np.linspace(0, 1, 10)}, index=index)
    schema.validate(frame)
    frame.to_parquet(tmp_path / "a.parquet")
    for delivery in (frame, tmp_path / "a.parquet"):
        verdict = tg.check(delivery, contract)
        assert [item.message for item in verdict.findings if item.kind == "violation"] == []
    assert tg.gate(tmp_path / "a.parquet", contract, store=store).require_published().rows().num_rows == 10


@pytest.mark.parametrize(("by", "reason"), [("", "why"), ("me", "  ")])
def test_nobody_signs_with_nothing(
    by: str, reason: str, store: Path, contract: tg.Contract, make_orders: Callable[..., pd.DataFrame]
) -> None:
    tg.gate(make_orders(0).assign(amount=-1.0), contract, store=store, batch_id="bad")
    with at(store) as place:
        for action in (
            lambda: readmission.release(place, "orders", "bad", by=by, reason=reason),
            lambda: readmission.replay(place, "orders", "bad", by=by, reason=reason),
            lambda: readmission.discard(place, "orders", "bad", by=by, reason=reason),
            lambda: by_hand.close(place, "orders", by=by, reason=reason),
            lambda: reference.approve(place, "orders", "abc", by=by, reason=reason),
        ):
            with pytest.raises(tg.UsageError, match="says nothing"):
                action()
