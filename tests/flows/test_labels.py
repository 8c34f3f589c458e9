"""Labels that come later: joined by key, kept a batch, never lost and never counted twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pandera.polars as pap
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tidegate as tg
from tests.conftest import Orders
from tests.flows.conftest import Said
from tidegate_contracts.severity import Severity
from tidegate_flows import label_store, labels, labels_aside, readmission, reference
from tidegate_flows.label_store import pairs
from tidegate_flows.labels import Joined, comparable
from tidegate_flows.ledger import audit, cohorts, counters, label_reports
from tidegate_flows.place import at
from tidegate_monitors.cohort import WHOLE, Cohort
from tidegate_monitors.scored import bias_of
from tidegate_monitors.skill import BinarySkill
from tidegate_monitors.tally import Sum

Make = Callable[..., pd.DataFrame]
LATER = "2024-05-01T00:00:00Z"


def joined_of(labels: Any, contract: tg.Contract, **options: Any) -> Joined:
    """What one delivery said."""
    return tg.join_labels(labels, contract, **options).deliveries[0]


def overall(cohort: Cohort, name: str = WHOLE) -> dict[str, float]:
    return {item.name: float(cohort.tallies[name].overall[item]) for item in Sum}


def files(store: Path) -> dict[str, bytes]:
    folder = store / "orders" / "labels"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def entries(store: Path) -> list[str]:
    with at(store) as place, place.ledger.begin() as connection:
        assert audit.verify(connection, "orders").first_break is None
        return [f"{e['event']} {e['batch']}" for e in audit.entries(connection, "orders")]


def kept(store: Path, batch: str) -> pd.DataFrame:
    return pq.read_table(store / "orders" / "labels" / f"{batch}.parquet").to_pandas()


def known(store: Path) -> list[Cohort]:
    with at(store) as place, place.ledger.begin() as connection:
        return cohorts.load(connection, "orders")


def label_of(frame: pd.DataFrame, values: Any, **more: Any) -> pd.DataFrame:
    return frame[["order_id"]].assign(returned=values, **more)


def balanced(joined: Joined) -> bool:
    said = joined.matched + joined.unknown + joined.duplicates + joined.conflicting_labels + joined.set_aside
    return joined.labels == said


@pytest.fixture
def frames(store: Path, contract: tg.Contract, make_orders: Make) -> list[pd.DataFrame]:
    """Three published batches of orders."""
    found = [make_orders(day, 40) for day in (1, 2, 3)]
    for day, frame in enumerate(found, start=1):
        tg.gate(frame, contract, store=store, batch_id=f"d{day}").require_published()
    return found


def test_labels_give_the_sums_of_the_merged_rows_and_the_same_labels_twice_change_nothing(
    store: Path, contract: tg.Contract, frames: list[pd.DataFrame]
) -> None:
    everything = pd.concat(frames)
    truth = label_of(everything, [0.0, 1.0, None, 0.0] * 30).sample(frac=1.0, random_state=1)
    joined = joined_of(truth, contract, store=store)
    assert (joined.labels, joined.matched, joined.unknown, len(joined.touched)) == (120, 120, 0, 3)
    assert set(joined.changed) == {"d1", "d2", "d3"}
    assert [item.batch for item in joined.touched] == ["d3", "d2", "d1"], "the newest window first"
    for cohort, frame in zip(reversed(joined.touched), frames, strict=True):
        both = frame.merge(truth, on="order_id").dropna(subset="returned")
        found = overall(cohort)
        assert (cohort.rows, cohort.settled, cohort.labelled, cohort.reversed) == (40, 40, len(both), 0)
        assert found["N"] == len(both)
        assert found["P"] == pytest.approx(both["score"].sum(), abs=1e-9)
        assert found["Y"] == pytest.approx(both["returned"].sum(), abs=1e-9)
        assert found["PY"] == pytest.approx((both["score"] * both["returned"]).sum(), abs=1e-9)
        assert found["ERROR"] == pytest.approx((both["score"] - both["returned"]).abs().sum(), abs=1e-9)
        assert found["CALLS"] == (both["score"] >= 0.5).sum()
        assert bias_of(cohort) == pytest.approx(both["score"].mean() - both["returned"].mean(), abs=1e-12)
        for country, part in both.groupby("country"):
            row = cohort.tallies[WHOLE].names.index(f"country={country}") + 1
            assert cohort.tallies[WHOLE].table[row, :, Sum.Y].sum() == part["returned"].sum()
    before = files(store), entries(store)
    again = joined_of(truth, contract, store=store)
    assert again.changed == ()
    assert {item.batch: item for item in again.touched} == {item.batch: item for item in joined.touched}
    assert (files(store), entries(store)) == before
    assert before[1][-3:] == ["labels.joined d3", "labels.joined d2", "labels.joined d1"]


def test_what_becomes_of_labels_is_counted_once_a_delivery(
    store: Path, contract: tg.Contract, frames: list[pd.DataFrame]
) -> None:
    known_, strange = label_of(frames[0], 0.0), label_of(frames[1].assign(order_id="x" + frames[1]["order_id"]), 1.0)
    for _ in range(2):
        tg.join_labels(pd.concat([known_, known_[:3], strange]), contract, store=store)
    tg.join_labels(label_of(frames[0][:5], 1.0), contract, store=store)
    tg.join_labels(label_of(frames[0][:5], 7.0), contract, store=store)
    with at(store) as place, place.ledger.begin() as connection:
        told = {labels["outcome"]: value for name, _, labels, value in counters.totals(connection) if "label_" in name}
    assert told == {"matched": 45, "unknown": 40, "duplicates": 3, "reversed": 5, "refused": 5}


@pytest.mark.parametrize("kind", ["bool", "boolean"])
def test_false_and_true_are_joined_where_the_contract_says_0_and_1(
    store: Path, contract: tg.Contract, frames: list[pd.DataFrame], kind: str
) -> None:
    truth = label_of(frames[0], pd.array([True, False] * 20, dtype=kind))
    joined = joined_of(truth, contract, store=store)
    assert (joined.matched, joined.refused) == (40, False)
    assert overall(known(store)[0])["Y"] == 20
    mixed = truth.assign(returned=pd.array([True, None] * 20, dtype="boolean"))
    assert joined_of(mixed, contract, store=store).reversed == 0


def test_a_file_that_was_corrected_by_another_takes_nothing_back_when_it_comes_again(
    store: Path, contract: tg.Contract, frames: list[pd.DataFrame]
) -> None:
    wrong, right = label_of(frames[0], 0.0), label_of(frames[0][:10], 1.0)
    first = tg.join_labels([wrong, right], contract, store=store)
    assert [item.reversed for item in first.deliveries] == [0, 10]
    before = files(store), entries(store)
    for _ in range(2):
        again = tg.join_labels([wrong, right], contract, store=store)
        assert [(item.matched, item.reversed, item.changed) for item in again.deliveries] == [(40, 0, ()), (10, 0, ())]
    assert (files(store), entries(store)) == before
    assert overall(known(store)[0])["Y"] == 10


def test_a_delivery_that_cannot_be_judged_leaves_the_last_judgement_standing(
    store: Path, make_contract: Callable[..., tg.Contract], frames: list[pd.DataFrame]
) -> None:
    contract = make_contract(label_delay=timedelta(days=3))
    judged = tg.join_labels(label_of(frames[0], 1.0), contract, store=store, as_of=LATER)
    assert judged.report.maturity.state == "mature"
    early = tg.join_labels(label_of(frames[1][:5], 1.0), contract, store=store, as_of="2024-03-03T12:00:00Z")
    strange = tg.join_labels(pd.DataFrame({"order_id": ["?"], "returned": [1.0]}), contract, store=store, as_of=LATER)
    assert (early.report.maturity.state, early.report.biases) == ("immature", ())
    assert [finding.message for finding in strange.report.findings] == [
        "no row of a published batch was named, so that nothing was judged"
    ]
    with at(store) as place, place.ledger.read() as connection:
        kept = label_reports.load(connection, "orders")
    assert kept is not None
    assert kept.document["batches"] == ["d1"]
    assert kept.share == pytest.approx(5 / 40)


def test_labels_that_trickle_in_for_newer_batches_hide_no_older_ones(
    store: Path, make_contract: Callable[..., tg.Contract], frames: list[pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labels, "COMPARABLE_MAXIMUM", 1)
    contract = make_contract(label_delay=timedelta(days=1))
    now = "2024-03-04T00:30:00Z"  # d1 is complete by then, d2 and d3 are not
    tg.join_labels(pd.concat([label_of(frame[:4], 1.0) for frame in frames[1:]]), contract, store=store, as_of=now)
    found = tg.join_labels(label_of(frames[0], 1.0), contract, store=store, as_of=now)
    assert (found.report.maturity.state, found.report.batches) == ("mature", ("d1",))


def test_published_batches_whose_labels_do_not_come_are_told(
    store: Path, make_contract: Callable[..., tg.Contract], frames: list[pd.DataFrame]
) -> None:
    contract = make_contract(label_delay=timedelta(days=1))
    some = label_of(frames[0], 1.0)
    early = tg.join_labels(some, contract, store=store, as_of="2024-03-04T12:00:00Z")
    assert "immature_labels" not in {finding.check for finding in early.findings}
    late = tg.join_labels(some, contract, store=store, as_of=LATER)
    told = [finding for finding in late.findings if finding.check == "immature_labels"]
    assert [(finding.severity, finding.score) for finding in told] == [(Severity.WARNING, 2.0)]
    assert "'d2' to 'd3'" in told[0].message
    with at(store) as place, place.ledger.read() as connection:
        counted = {
            found["check"]: value
            for name, _, found, value in counters.totals(connection)
            if name == "findings_total" and found["severity"] == "warning"
        }
    assert counted["immature_labels"] == 1
    tg.join_labels(some, contract, store=store, as_of=LATER)
    with at(store) as place, place.ledger.read() as connection:
        assert (
            sum(value for _, _, found, value in counters.totals(connection) if found.get("check") == "immature_labels")
            == 1
        )


def test_an_error_names_the_file_and_says_what_is_joined_already(
    store: Path, contract: tg.Contract, frames: list[pd.DataFrame], tmp_path: Path
) -> None:
    good, bad = tmp_path / "good.parquet", tmp_path / "bad.parquet"
    label_of(frames[0], 1.0).to_parquet(good)
    frames[0][["amount"]].to_parquet(bad)
    with pytest.raises(tg.UsageError, match=r"bad\.parquet: the labels lack columns") as raised:
        tg.join_labels([good, bad], contract, store=store)
    assert "the 1 before it are joined" in str(raised.value.hint)
    with pytest.raises(tg.UsageError, match="ISO 8601"):
        tg.join_labels(good, contract, store=store, as_of="window")


def test_labels_that_come_in_two_files_add_up(store: Path, contract: tg.Contract, frames: list[pd.DataFrame]) -> None:
    truth = label_of(frames[0], [1.0, 0.0] * 20)
    joined_of(truth[:21], contract, store=store)
    both = joined_of(truth[19:], contract, store=store)
    assert (both.touched[0].labelled, both.touched[0].settled) == (40, 40)
    assert bias_of(both.touched[0]) == pytest.approx(frames[0]["score"].mean() - 0.5, abs=1e-12)


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_split_of_the_labels_into_files_in_any_order_gives_the_same_cohorts(
    tmp_path_factory: pytest.TempPathFactory, contract: tg.Contract, make_orders: Make, data: st.DataObject
) -> None:
    store = tmp_path_factory.mktemp("split") / "store"
    days = [make_orders(day, 12) for day in (1, 2)]
    for day, frame in enumerate(days):
        tg.gate(frame, contract, store=store, batch_id=f"d{day}")
    truth = label_of(pd.concat(days), [1.0, None, 0.0] * 8)
    order = data.draw(st.permutations(range(24)))
    cuts = sorted(data.draw(st.sets(st.integers(1, 23), max_size=3)))
    for start, end in zip([0, *cuts], [*cuts, 24], strict=True):
        joined_of(truth.iloc[list(order[start:end])], contract, store=store, as_of=LATER)
    split = known(store), files(store)
    other = tmp_path_factory.mktemp("whole") / "store"
    for day, frame in enumerate(days):
        tg.gate(frame, contract, store=other, batch_id=f"d{day}")
    joined_of(truth, contract, store=other, as_of=LATER)
    assert (known(other), files(other)) == split


def test_the_last_word_on_a_label_counts_and_every_reversal_is_kept(
    store: Path, contract: tg.Contract, frames: list[pd.DataFrame]
) -> None:
    joined_of(label_of(frames[0], 0.0), contract, store=store)
    second = joined_of(label_of(frames[0][:10], [1.0] * 4 + [0.0] * 3 + [None] * 3), contract, store=store)
    assert (second.reversed, second.touched[0].reversed, second.changed) == (4, 4, ("d1",))
    assert second.touched[0].labelled == 40, "an empty label takes nothing back"
    third = joined_of(label_of(frames[0][:1], 0.0), contract, store=store)
    assert (third.reversed, third.touched[0].reversed) == (1, 4)
    rows = kept(store, "d1").set_index("order_id")
    first = rows.loc[frames[0]["order_id"].iloc[0]]
    assert (first["label"], first["first"], first["changes"], bool(first["settled"])) == (0.0, 0.0, 2, True)
    assert first["prediction"] == frames[0]["score"].iloc[0]
    assert set(rows.columns) == {"label", "settled", "changes", "first", "named_at", "published", "prediction"}
    assert overall(third.touched[0])["Y"] == 3


def test_a_row_named_without_a_label_is_settled_once_the_label_delay_has_passed(
    store: Path, make_contract: Callable[..., tg.Contract], frames: list[pd.DataFrame]
) -> None:
    contract = make_contract(label_delay=timedelta(days=7))
    some = label_of(frames[0], [1.0] * 10 + [None] * 30)
    early = joined_of(some, contract, store=store, as_of="2024-03-05T00:00:00Z")
    assert (early.touched[0].settled, early.touched[0].labelled) == (10, 10)
    again = joined_of(some, contract, store=store, as_of="2024-03-06T00:00:00Z")
    assert again.changed == (), "named again before the delay has passed"
    late = joined_of(some[:20], contract, store=store, as_of="2024-03-10T00:00:00Z")
    assert (late.touched[0].settled, late.touched[0].labelled, late.changed) == (20, 10, ("d1",))
    assert overall(late.touched[0])["SETTLED"] == 20
    assert joined_of(some[:20], contract, store=store, as_of=LATER).changed == ()


def test_labels_that_break_their_own_clauses_are_set_aside_with_their_reasons_and_the_rest_is_joined(
    store: Path, make_contract: Callable[..., tg.Contract], frames: list[pd.DataFrame]
) -> None:
    contract = make_contract(tolerance=0.1)
    truth = label_of(frames[0], [7.0, -1.0] + [1.0, None] * 19)
    joined = joined_of(truth, contract, store=store)
    assert (joined.set_aside, joined.matched, joined.refused) == (2, 38, False)
    assert balanced(joined)
    assert [(v.check, v.severity, v.failed) for v in joined.violations] == [("unknown_labels", Severity.WARNING, 2)]
    assert joined.touched[0].labelled == 19
    folder = next((store / "orders" / "labels" / "quarantine").iterdir())
    assert pq.read_table(folder / "rows.parquet").column("returned").to_pylist() == [7.0, -1.0]
    reasons = pq.read_table(folder / "reasons.parquet").to_pylist()
    assert [(item["row"], item["check"], item["column"]) for item in reasons] == [
        (0, "unknown_labels", "returned"),
        (1, "unknown_labels", "returned"),
    ]
    assert json.loads((folder / "manifest.json").read_text())["set_aside"] == 2
    with at(store) as place:
        [item] = labels_aside.kept(place)
        told = labels_aside.details(place, "orders", item["batch"])
    assert (item["batch"], item["state"], item["rows"]) == (folder.name, "labels", 2)
    assert sum(reason["rows"] for reason in told["reasons"]) >= 2
    assert {reason["check"] for reason in told["reasons"]} == {*item["checks"]}
    before = files(store)
    assert joined_of(truth, contract, store=store).changed == ()
    assert files(store) == before


def test_above_the_tolerance_the_delivery_is_refused_and_nothing_is_joined(
    store: Path, contract: tg.Contract, frames: list[pd.DataFrame]
) -> None:
    joined = joined_of(label_of(frames[0], [7.0] * 5 + [1.0] * 35), contract, store=store)
    assert (joined.refused, joined.matched, joined.touched, joined.set_aside) == (True, 0, (), 5)
    assert [(v.check, v.severity) for v in joined.violations] == [("unknown_labels", Severity.CRITICAL)]
    assert known(store) == []
    assert not any("labels" in event for event in entries(store))
    clean = joined_of(label_of(frames[0], 1.0), contract, store=store)
    assert (clean.refused, clean.violations) == (False, ())


def test_labels_of_a_csv_that_are_no_numbers_are_set_aside_and_rows_without_a_key_are_unknown(
    store: Path, tmp_path: Path, make_contract: Callable[..., tg.Contract], frames: list[pd.DataFrame]
) -> None:
    path = tmp_path / "labels.csv"
    ids = frames[0]["order_id"].tolist()
    path.write_text("order_id,returned\n" + f"{ids[0]},1\n{ids[1]},yes\n{ids[2]},\n,1\nnobody,0\n")
    joined = joined_of(path, make_contract(tolerance=0.5), store=store)
    assert (joined.labels, joined.matched, joined.set_aside, joined.unknown) == (5, 2, 1, 2)
    assert [v.check for v in joined.violations] == ["schema_mismatch"]
    assert "yes" not in str(joined.violations)


def test_a_label_that_must_not_be_missing_is_held_to_it(
    store: Path, make_contract: Callable[..., tg.Contract], frames: list[pd.DataFrame]
) -> None:
    schema = Orders.to_schema().update_column("returned", nullable=False)
    joined = joined_of(
        label_of(frames[0], [None] + [1.0] * 39), make_contract(schema=schema, tolerance=0.05), store=store
    )
    assert [(v.check, v.failed) for v in joined.violations] == [("missing_values", 1)]
    assert (joined.set_aside, joined.matched) == (1, 39)


def test_a_key_named_twice_counts_once_and_with_two_labels_not_at_all(
    store: Path, contract: tg.Contract, frames: list[pd.DataFrame]
) -> None:
    ids = frames[0]["order_id"].tolist()
    told = [(ids[0], 1.0), (ids[0], 1.0), (ids[1], None), (ids[1], 0.0), (ids[2], 0.0), (ids[2], 1.0), (ids[3], 1.0)]
    joined = joined_of(pd.DataFrame(told, columns=["order_id", "returned"]), contract, store=store)
    assert (joined.duplicates, joined.conflicting_labels, joined.matched, joined.refused) == (2, 2, 3, False)
    assert balanced(joined)
    assert [(v.check, v.severity, v.failed) for v in joined.violations] == [("conflicting_labels", Severity.WARNING, 2)]
    rows = kept(store, "d1").set_index("order_id")["label"]
    assert rows.to_dict() == {ids[0]: 1.0, ids[1]: 0.0, ids[3]: 1.0}


def test_labels_older_than_their_prediction_are_counted_where_the_file_has_its_time(
    store: Path, contract: tg.Contract, frames: list[pd.DataFrame]
) -> None:
    placed = frames[0]["placed"]
    honest = joined_of(label_of(frames[0], 1.0, placed=placed + timedelta(days=1)), contract, store=store)
    assert honest.early == 0
    times = placed.where(np.arange(40) >= 3, placed - timedelta(hours=1))
    assert joined_of(label_of(frames[0], 1.0, placed=times), contract, store=store).early == 3


def test_a_crash_between_the_file_and_the_ledger_is_mended_by_the_same_labels(
    store: Path, contract: tg.Contract, frames: list[pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = label_of(pd.concat(frames), [1.0, 0.0] * 60)

    def crash(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(cohorts, "save", crash)
        with pytest.raises(KeyboardInterrupt):
            joined_of(truth, contract, store=store)
    assert (set(files(store)) - {".lock"}, known(store)) == ({"d3.parquet"}, [])
    before = files(store)["d3.parquet"]
    joined = joined_of(truth, contract, store=store)
    assert set(joined.changed) == {"d1", "d2", "d3"}
    assert files(store)["d3.parquet"] == before
    assert sum("labels.joined" in event for event in entries(store)) == 3
    with monkeypatch.context() as patched:
        patched.setattr(label_store, "replace_durably", crash)
        with pytest.raises(KeyboardInterrupt):
            joined_of(truth.assign(returned=1.0), contract, store=store)
    assert known(store) == sorted(joined.touched, key=lambda item: item.batch), "nothing was written at all"


JOIN = """
import sys, pandas as pd, tidegate as tg
contract, store, path = sys.argv[1:]
frame = pd.read_parquet(path)
for start in range(0, len(frame), 10):
    tg.join_labels(frame[start : start + 10], contract, store=store)
"""


def test_two_processes_that_join_labels_of_one_batch_at_the_same_time_lose_none(
    store: Path, contract_file: Callable[..., Path], tmp_path: Path, make_orders: Make
) -> None:
    path, frame = contract_file(), make_orders(1, 80)
    tg.gate(frame, path, store=store, batch_id="a").require_published()
    truth = label_of(frame, [1.0, 0.0] * 40)
    started = []
    for number in range(2):
        truth[number::2].to_parquet(tmp_path / f"{number}.parquet")
        command = [sys.executable, "-c", JOIN, str(path), str(store), str(tmp_path / f"{number}.parquet")]
        started.append(subprocess.Popen(command, env=os.environ | {"PYTHONPATH": ""}))
    assert [process.wait(120) for process in started] == [0, 0]
    assert [(item.labelled, overall(item)["Y"]) for item in known(store)] == [(80, 40.0)]
    assert len(kept(store, "a")) == 80


def test_labels_of_rows_in_quarantine_are_unknown_until_the_rows_are_released(
    store: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    contract, frame = contract_file(), make_orders(1)
    frame.loc[:1, "amount"] = -1.0
    tg.gate(frame, contract, store=store, batch_id="a").require_published()
    truth = label_of(frame, [1.0, 0.0] * 100)
    joined = joined_of(truth, contract, store=store)
    assert (joined.matched, joined.unknown, joined.touched[0].rows) == (198, 2, 198)
    with at(store) as place:
        readmission.release(place, "orders", "a", by="ann", reason="they are right")
    again = joined_of(truth, contract, store=store)
    assert (again.matched, again.unknown, again.changed) == (200, 0, ("a",))
    assert (again.touched[0].rows, again.touched[0].labelled) == (200, 200)


def test_labels_may_be_keyed_by_the_index_that_the_contract_declares(
    store: Path, make_contract: Callable[..., tg.Contract], make_orders: Make
) -> None:
    contract = make_contract(schema=Orders.to_schema().set_index(["order_id"]))
    frame = make_orders(1, 20).set_index("order_id")
    tg.gate(frame, contract, store=store, batch_id="a").require_published()
    truth = pd.DataFrame({"returned": [1.0, 0.0] * 10}, index=frame.index)
    assert joined_of(truth, contract, store=store).touched[0].labelled == 20


def test_several_columns_and_types_of_keys_are_matched_in_the_contract_s_types(
    store: Path, make_contract: Callable[..., tg.Contract], make_orders: Make
) -> None:
    schema = Orders.to_schema().update_column("order_id", unique=False).add_columns({"line": pa.Column(int)})
    contract = make_contract(schema=schema, key=("order_id", "line"))
    frame = make_orders(1, 20).assign(line=np.arange(20, dtype=np.int32) % 2)
    frame["order_id"] = [f'o"{number // 2}' for number in range(20)]
    tg.gate(frame, contract, store=store, batch_id="a").require_published()
    truth = frame[["line", "order_id"]].assign(line=frame["line"].astype("int64"), returned=[1.0, 0.0] * 10)
    joined = joined_of(truth[::-1], contract, store=store)
    assert (joined.matched, joined.duplicates, overall(joined.touched[0])["Y"]) == (20, 0, 10)
    assert joined_of(truth, contract, store=store).changed == ()


class Meals(pa.DataFrameModel):
    """Three classes with a probability each."""

    meal: int
    shown: str = pa.Field(isin=["fish", "meat", "none"])
    fish: float
    meat: float
    none: float
    simple: str = pa.Field(isin=["fish", "meat", "none"])
    model: str
    eaten: str = pa.Field(isin=["fish", "meat", "none"], nullable=True)


def test_several_classes_have_a_cohort_each_against_the_rest(store: Path) -> None:
    contract = tg.Contract(
        name="orders", version="1.0.0", owner="kitchen", schema=Meals, key=("meal",), prediction="shown",
        label="eaten", classes=("fish", "meat", "none"), score=("fish", "meat", "none"), baseline="simple",
        model_version="model",
    )  # fmt: skip
    rng = np.random.default_rng(0)
    chances = rng.dirichlet([1, 1, 1], 30)
    words = np.array(["fish", "meat", "none"])
    frame = pd.DataFrame(chances, columns=words).assign(
        meal=range(30), shown=words[chances.argmax(axis=1)], simple="meat", model=["a", "b", "b"] * 10
    )
    tg.gate(frame, contract, store=store, batch_id="a").require_published()
    eaten = words[rng.integers(0, 3, 30)].astype(object)
    eaten[:3] = None
    joined = joined_of(pd.DataFrame({"meal": range(30), "eaten": eaten}), contract, store=store)
    cohort = joined.touched[0]
    assert (cohort.classes, dict(cohort.versions)) == (("fish", "meat", "none"), {"a": 10, "b": 20})
    has = pd.notna(eaten)
    for index, name in enumerate(words):
        found = overall(cohort, str(name))
        assert found["N"] == 27
        assert found["P"] == pytest.approx(chances[has, index].sum(), abs=1e-9)
        assert found["Y"] == (eaten == name).sum()
        assert found["CALLS"] == (frame["shown"][has] == name).sum()
        assert found["SIMPLE"] == (27 if name == "meat" else 0)
    table = pd.crosstab(frame["shown"][has], eaten[has]).reindex(index=words, columns=words, fill_value=0)
    assert cohort.confusion == tuple(map(tuple, table.to_numpy().tolist()))
    with at(store) as place:
        found_pairs = list(pairs(place, "orders", ["a", "nothing"], contract))
    assert [(item.batch, item.outcome, len(item.label)) for item in found_pairs] == [
        ("a", str(name), 27) for name in words
    ]
    np.testing.assert_allclose(found_pairs[1].prediction, chances[has, 1])


def test_a_number_has_its_errors_summed_and_its_pairs_read_without_the_published_file(
    store: Path, tmp_path: Path
) -> None:
    schema = pap.DataFrameSchema(
        {"house": pap.Column(int), "guess": pap.Column(float), "price": pap.Column(float, nullable=True)}
    )
    contract = tg.Contract(
        name="orders", version="1.0.0", owner="estate", schema=schema, key=("house",), prediction="guess", label="price"
    )
    frame = pd.DataFrame({"house": range(20), "guess": np.linspace(1, 3, 20)})
    tg.gate(frame, contract, store=store, batch_id="a").require_published()
    prices = frame[["house"]].assign(price=frame["guess"] + [0.5, -0.25] * 10)
    prices.loc[0, "price"] = np.inf
    refused = joined_of(prices, contract, store=store)
    assert [(v.check, v.column) for v in refused.violations] == [("non_finite", "price")]
    joined = joined_of(prices[1:], contract, store=store)
    assert overall(joined.touched[0])["ERROR"] == pytest.approx(9 * 0.5 + 10 * 0.25, abs=1e-9)
    assert overall(joined.touched[0])["CALLS"] == 0
    next((store / "orders" / "published").iterdir()).unlink()
    with at(store) as place:
        (found,) = pairs(place, "orders", ["a"], contract)
    np.testing.assert_allclose(found.label - found.prediction, ([0.5, -0.25] * 10)[1:])


def test_only_cohorts_in_the_buckets_of_the_reference_in_force_can_be_compared(
    store: Path, tmp_path: Path, contract: tg.Contract, make_orders: Make
) -> None:
    day, other = make_orders(31), make_orders(32)
    tg.gate(day, contract, store=store, batch_id="a")
    tg.gate(other, contract, store=store, batch_id="b")
    truth = label_of(pd.concat([day, other]), [1.0, 0.0] * 200)
    joined_of(truth, contract, store=store)
    with at(store) as place:
        assert [item.batch for item in comparable(place, contract, None)] == ["a", "b"]
        paths = []
        for number in range(6):
            paths.append(tmp_path / f"{number}.parquet")
            make_orders(number).to_parquet(paths[-1], index=False)
        built = reference.build(place, contract, paths)
        reference.approve(place, contract.name, built.sha256, by="test", reason="six good days")
        assert comparable(place, contract, built) == []
    before = entries(store)
    again = joined_of(truth[:200], contract, store=store)
    assert again.changed == (), "the labels are the same, only the buckets are others"
    assert entries(store) == before
    with at(store) as place:
        found = comparable(place, contract, built)
    assert [(item.batch, len(item.edges)) for item in found] == [("a", 9)]
    assert found[0].tallies[WHOLE].table[0, :, Sum.ROWS].min() > 0
    assert set(found[0].tallies[WHOLE].names) == {"country=DE", "country=FR", "country=IT"}


def test_a_key_in_two_batches_has_its_label_in_the_newest(
    store: Path, contract: tg.Contract, make_orders: Make
) -> None:
    for day in (1, 2):
        frame = make_orders(day, 20)
        frame.loc[0, "order_id"] = "both"
        tg.gate(frame, contract, store=store, batch_id=f"d{day}").require_published()
    joined = joined_of(pd.DataFrame({"order_id": ["both"], "returned": [1.0]}), contract, store=store)
    assert [item.batch for item in joined.touched] == ["d2"]


def test_wrong_labels_are_refused_with_what_is_wrong_and_without_a_value(
    store: Path, tmp_path: Path, contract: tg.Contract, frames: list[pd.DataFrame], make_contract: Callable[..., Any]
) -> None:
    def told(delivery: Any, promised: Any = contract, where: Path = store) -> str:
        with pytest.raises(tg.UsageError) as caught:
            joined_of(delivery, promised, store=where)
        return str(caught.value)

    good = label_of(frames[0], 1.0)
    assert "no key" in told(good, make_contract(key=()))
    assert "no prediction and no label" in told(good, make_contract(prediction=None, label=None))
    assert "'returned': missing" in told(good[["order_id"]])
    assert "'returned'" in told(label_of(frames[0], pd.Timestamp("2024-03-01")))
    assert "no rows" in told(good[:0])
    assert "there is no store" in told(good, where=tmp_path / "nowhere")
    assert "this is a folder" in told(tmp_path)
    (tmp_path / "torn.parquet").write_bytes(b"PAR1 secret")
    assert "unreadable" in told(tmp_path / "torn.parquet")
    (tmp_path / "empty.csv").write_bytes(b"")
    assert "unreadable" in told(tmp_path / "empty.csv")
    assert "no such file" in told(tmp_path / "none.parquet").lower() or "none.parquet" in told(
        tmp_path / "none.parquet"
    )
    text = Orders.to_schema().update_column("returned", dtype="str", checks=[])
    assert "which classes" in told(label_of(frames[0], "yes"), make_contract(schema=text))
    assert known(store) == []


def test_the_bounds_of_keys_spare_the_batches_that_cannot_hold_a_label(
    store: Path, contract: tg.Contract, frames: list[pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    columns = labels.Published.columns
    monkeypatch.setattr(
        labels.Published, "columns", lambda self, names: (read.append(self.files[0].stem), columns(self, names))[1]
    )
    joined = joined_of(label_of(frames[0], 1.0), contract, store=store)
    assert joined.matched == 40
    assert set(read) == {"d1"}


def test_a_file_of_labels_that_is_torn_is_said_and_not_written_over(
    store: Path, contract: tg.Contract, frames: list[pd.DataFrame]
) -> None:
    joined_of(label_of(frames[0], 1.0), contract, store=store)
    path = store / "orders" / "labels" / "d1.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    torn = path.read_bytes()
    with pytest.raises(tg.StoreError, match=r"d1\.parquet cannot be read"):
        joined_of(label_of(frames[0], 0.0), contract, store=store)
    assert path.read_bytes() == torn


def test_labels_of_categories_are_told_apart_as_their_values(store: Path) -> None:
    grades = pd.CategoricalDtype(["good", "poor"])
    schema = pa.DataFrameSchema(
        {"id": pa.Column(int), "guess": pa.Column(grades), "grade": pa.Column(grades, nullable=True)}
    )
    contract = tg.Contract(
        name="orders", version="1.0.0", owner="shop", schema=schema, key=("id",), prediction="guess", label="grade",
        classes=("good", "poor"),
    )  # fmt: skip
    frame = pd.DataFrame({"id": range(10), "guess": pd.Series(["good", "poor"] * 5, dtype=grades)})
    tg.gate(frame, contract, store=store, batch_id="a").require_published()
    empty = frame[["id"]].assign(grade=pd.Series([None] * 10, dtype=object))
    assert joined_of(empty, contract, store=store).touched[0].labelled == 0
    truth = frame[["id"]].assign(grade=pd.Series(["poor"] * 10, dtype=grades))
    joined = joined_of(truth, contract, store=store)
    assert overall(joined.touched[0])["Y"] == 10
    bad = joined_of(truth.assign(grade=["bad"] + ["poor"] * 9), contract, store=store)
    assert (bad.refused, [v.check for v in bad.violations]) == (True, ["unknown_labels"])


def test_labels_in_many_chunks_are_those_in_one(
    store: Path, contract: tg.Contract, frames: list[pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = label_of(pd.concat(frames), [1.0, None, 0.0] * 40).sample(frac=1.0, random_state=2)
    strangers = pd.DataFrame({"order_id": ["a", "z"], "returned": [1.0, 0.0]})
    whole = joined_of(pd.concat([strangers, truth]), contract, store=store)
    monkeypatch.setattr(labels, "_CHUNK", 7)
    parts = joined_of(pd.concat([truth, strangers]), contract, store=store)
    assert (parts.matched, parts.unknown, parts.changed) == (120, 2, ())
    assert parts.touched == whole.touched


def test_labels_of_rows_that_a_revision_left_out_count_for_nothing(
    store: Path, contract: tg.Contract, make_orders: Make
) -> None:
    frame = make_orders(1, 100)
    said = np.where(np.arange(100) < 50, 0.95, np.where(np.arange(100) < 75, 0.9, 0.1))
    tg.gate(frame.assign(score=said), contract, store=store, batch_id="a").require_published()
    tg.join_labels(label_of(frame, (np.arange(100) >= 50).astype(float)), contract, store=store)
    rest = frame[50:].assign(score=said[50:])
    signed: dict[str, Any] = {"supersede": True, "by": "ann", "reason": "half of them never were"}
    run = tg.gate(rest, contract, store=store, batch_id="a", **signed)
    assert (run.decision.value, run.revision) == ("publish", 2)
    truth = label_of(rest, (said[50:] > 0.5).astype(float))
    report = tg.join_labels(truth, contract, store=store).report
    with at(store) as place:
        [found] = pairs(place, "orders", ["a"], contract)
    assert (len(found.label), known(store)[0].rows) == (50, 50)
    assert np.array_equal(found.label, (found.prediction > 0.5).astype(float))
    assert isinstance(report.skill, BinarySkill)
    assert report.skill.roc_auc == 1.0
    assert len(kept(store, "a")) == 100, "what is known of the others is kept"
    tg.gate(frame.assign(score=said), contract, store=store, batch_id="a", **signed).require_published()
    tg.join_labels(label_of(frame[:1], 1.0), contract, store=store)
    with at(store) as place:
        [found] = pairs(place, "orders", ["a"], contract)
    assert len(found.label) == 100, "they came back"


def test_a_refused_delivery_is_counted_once_and_as_joined_once_another_contract_takes_it(
    store: Path, contract: tg.Contract, make_contract: Callable[..., tg.Contract], frames: list[pd.DataFrame]
) -> None:
    bad = label_of(frames[0], [7.0] * 10 + [1.0] * 30)
    for _ in range(3):
        assert joined_of(bad, contract, store=store).refused

    def told() -> dict[str, float]:
        with at(store) as place, place.ledger.read() as connection:
            return {said["outcome"]: value for name, _, said, value in counters.totals(connection) if "label_" in name}

    assert told() == {"refused": 40}
    joined_of(label_of(frames[0], 1.0), contract, store=store)
    joined = joined_of(label_of(frames[0], [7.0] * 10 + [0.0] * 30), make_contract(tolerance=0.5), store=store)
    assert (joined.refused, joined.matched, joined.reversed) == (False, 30, 30)
    again = joined_of(bad, make_contract(tolerance=0.5), store=store)
    assert (again.refused, again.reversed) == (False, 30), "nothing of it was joined before, so that its word is new"
    assert told() == {"refused": 40, "matched": 100, "set_aside": 20, "reversed": 60}


def test_labels_that_were_set_aside_are_listed_by_their_manifest_alone(
    store: Path, make_contract: Callable[..., tg.Contract], frames: list[pd.DataFrame]
) -> None:
    joined_of(label_of(frames[0], [7.0, -1.0] + [1.0] * 38), make_contract(tolerance=0.1), store=store)
    [folder] = (store / "orders" / "labels" / "quarantine").iterdir()
    with at(store) as place:
        listed, told = labels_aside.kept(place), labels_aside.details(place, "orders", folder.name)
        manifest = json.loads((folder / "manifest.json").read_text())
        assert [(item["check"], item["rows"]) for item in manifest["reasons"]] == [("unknown_labels", 2)]
        (folder / "manifest.json").write_text(json.dumps({k: v for k, v in manifest.items() if k != "reasons"}))
        assert labels_aside.kept(place) == listed, "an older manifest has no counts: the rows' reasons are read"
        assert labels_aside.details(place, "orders", folder.name) == told
        (folder / "manifest.json").write_text(json.dumps(manifest))
        (folder / "reasons.parquet").unlink()
        assert labels_aside.kept(place) == listed
        assert labels_aside.details(place, "orders", folder.name) == told


@pytest.mark.more
def test_labels_that_were_set_aside_are_discarded_by_whoever_signs(
    tidegate: Callable[..., Said],
    store: Path,
    make_contract: Callable[..., tg.Contract],
    frames: list[pd.DataFrame],
) -> None:
    contract = make_contract(tolerance=0.1)
    truth = label_of(frames[0], [7.0, -1.0] + [1.0] * 38)
    joined_of(truth, contract, store=store)
    [folder] = (store / "orders" / "labels" / "quarantine").iterdir()
    act = ("quarantine", "discard", "orders", folder.name, "--store", store)
    assert tidegate(*act, "--by", "ann", "--reason", " ").code == 2
    assert folder.exists()
    said = tidegate(*act, "--by", "ann", "--reason", "the vendor sent tests", "--json")
    assert (said.code, json.loads(said.out)["discarded"], folder.exists()) == (0, True, False)
    with at(store) as place, place.ledger.read() as connection:
        assert labels_aside.kept(place) == []
        *_, last = audit.entries(connection, "orders")
    assert (last["event"], last["batch"], last["by"]) == ("labels.discarded", folder.name, "ann")
    assert last["reason"] == "the vendor sent tests"
    assert list((store / ".staging").iterdir()) == []
    assert tidegate(*act, "--by", "ann", "--reason", "again").code == 2
    assert entries(store).count(f"labels.discarded {folder.name}") == 1
    assert joined_of(truth, contract, store=store).changed == (), "what was joined stays joined"
    assert folder.exists(), "the same delivery again is set aside again"
