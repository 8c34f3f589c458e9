"""Batches are held against the reference and against the latest blocks; the stream remembers; the ledger counts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import tidegate as tg
from tests.flows.conftest import Said
from tidegate_flows import reference
from tidegate_flows.latest import latest
from tidegate_flows.ledger import runs, streams
from tidegate_flows.place import at
from tidegate_flows.readmission import release
from tidegate_monitors.reference import Reference

Make = Callable[..., pd.DataFrame]
Cli = Callable[..., Said]
START = datetime(2024, 3, 1, tzinfo=UTC)


def _gate(store: Path, contract: tg.Contract, frames: Iterable[tuple[int, pd.DataFrame]]) -> list[tg.Run]:
    return [tg.gate(frame, contract, store=store, batch_id=f"d{day:02}", as_of="window") for day, frame in frames]


def _approved(store: Path, contract: tg.Contract) -> Reference:
    with at(store) as place:
        found = reference.approved(place, contract)
    assert found is not None
    return found


def _latest(store: Path, contract: tg.Contract, day: int) -> list[str]:
    """The blocks that a batch which ends on a day is held against, besides the reference's own."""
    pinned = _approved(store, contract)
    with at(store) as place:
        found = latest(place, contract, pinned, START + timedelta(days=day))
    if found is None:
        return []
    assert len(found.blocks) == len(pinned.blocks)
    return [block.batch for block in found.blocks if block.batch.startswith("d")]


def _checks(run: tg.Run) -> set[str]:
    return {finding.check for finding in run.findings}


def test_accepted_blocks_take_the_place_of_the_oldest_ones(
    with_reference: Path, contract: tg.Contract, make_orders: Make
) -> None:
    _gate(with_reference, contract, ((day, make_orders(day)) for day in range(20, 30)))
    assert _latest(with_reference, contract, 26) == []
    assert _latest(with_reference, contract, 30) == ["d20", "d21", "d22"]
    assert _latest(with_reference, contract, 37) == [f"d{day}" for day in range(20, 30)]


def test_what_a_rule_has_found_or_was_refused_is_never_held_against_others(
    with_reference: Path, make_contract: Callable[..., tg.Contract], make_orders: Make
) -> None:
    contract = make_contract(failure_threshold=9)
    days = {day: make_orders(day) for day in range(20, 25)}
    days[21]["amount"] *= 100
    days[22].loc[:1, "amount"] = -1  # two rows are set aside, and the rest is like any other day
    days[23]["note"] = np.where(np.arange(200) < 8, "lent", days[23]["note"])  # a category never seen
    found = _gate(with_reference, contract, days.items())
    assert [run.decision.value for run in found] == ["publish", "quarantine", "publish", "publish", "publish"]
    assert "category_change" in _checks(found[3])
    assert _latest(with_reference, contract, 40) == ["d20", "d22", "d24"]


def test_what_was_refused_and_let_go_by_hand_is_not_held_against_others(
    with_reference: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    contract = tg.load_contract(contract_file("failure_threshold=9"))
    bad = make_orders(21)
    bad.loc[:49, "amount"] = -1
    _gate(with_reference, contract, [(20, make_orders(20)), (21, bad)])
    with at(with_reference) as place:
        release(place, contract.name, "d21", by="test", reason="needed today")
        with place.ledger.begin() as connection:
            row = runs.speaking_for(connection, contract.name, "d21")
    assert row is not None
    assert (row.decision, bool(row.accepted)) == ("publish", False)
    assert _latest(with_reference, contract, 40) == ["d20"]


def test_a_statistical_alarm_keeps_its_place_among_the_blocks(
    with_reference: Path, contract: tg.Contract, make_orders: Make
) -> None:
    odd = make_orders(20)
    odd["amount"] *= 2.0
    odd["amount"] = odd["amount"].clip(upper=10_000) + np.linspace(0, 40, len(odd))
    (run,) = _gate(with_reference, contract, [(20, odd)])
    assert run.decision is tg.Decision.PUBLISH
    assert ("drift", "amount") in {(item.check, item.column) for item in run.findings}
    assert _latest(with_reference, contract, 40) == ["d20"]


def test_an_alarm_needs_the_reference_and_the_latest_blocks_to_agree(
    with_reference: Path, make_contract: Callable[..., tg.Contract], make_orders: Make
) -> None:
    contract = make_contract(season="day_of_year")  # twenty days do not span it, so that drift may be a season

    def risen(day: int) -> pd.DataFrame:
        frame = make_orders(day)
        frame["amount"] = (frame["amount"] + np.linspace(0, 12, len(frame))).round(2)
        return frame

    # a level that has stayed for weeks: the reference still finds it odd, the latest blocks no longer do
    early, *_, late = _gate(with_reference, contract, ((day, risen(day)) for day in (*range(20, 46), 60)))
    with at(with_reference) as place, place.ledger.begin() as connection:
        told = json.loads(runs.get(connection, late.id).comparisons)
    where = next(item for item in told if (item["column"], item["statistic"]) == ("amount", "location"))
    assert "drift" in _checks(early)
    assert where["score"] > where["threshold"]
    assert where["latest"] < 1
    assert "drift" not in _checks(late)
    slow = [item for item in late.findings if item.check in ("slow_poisoning", "season_mistaken")]
    assert {item.check for item in slow} == {"slow_poisoning", "season_mistaken"}
    assert {item.severity.value for item in slow} == {"info"}


def test_a_drift_in_small_steps_is_told_and_its_clean_twin_is_not(
    with_reference: Path, contract: tg.Contract, make_orders: Make
) -> None:
    def drifting(day: int, step: float) -> pd.DataFrame:
        frame = make_orders(day)
        frame["amount"] = (frame["amount"] * np.exp(0.7 * step * (day - 19))).round(2)
        return frame

    found = _gate(with_reference, contract, ((day, drifting(day, 0.03)) for day in range(20, 36)))
    last = [item for item in found[-1].findings if item.column == "amount"]
    assert any("slow_poisoning" in (item.check, *getattr(item, "folded", ())) for item in last)
    with at(with_reference) as place, place.ledger.begin() as connection:
        ratios = streams.ratios(connection, contract.name)
    assert ratios["amount"] > 1
    assert max(ratio for column, ratio in ratios.items() if column != "amount") < 1


def test_days_as_they_were_give_no_slow_drift(with_reference: Path, contract: tg.Contract, make_orders: Make) -> None:
    found = _gate(with_reference, contract, ((day, make_orders(day)) for day in range(20, 45)))
    assert not {"slow_poisoning", "reference_contamination", "error_budget_burn"} & set().union(*map(_checks, found))
    assert {item.severity.value for run in found for item in run.findings} <= {"info"}


def test_the_stream_steps_once_a_batch_and_not_for_what_comes_late_or_is_refused(
    with_reference: Path, make_contract: Callable[..., tg.Contract], make_orders: Make, tmp_path: Path
) -> None:
    contract = make_contract(failure_threshold=9)

    def steps() -> int:
        pinned = _approved(with_reference, contract).sha256
        with at(with_reference) as place, place.ledger.begin() as connection:
            return streams.load(connection, contract.name, pinned)[0].steps

    spoilt = make_orders(24)
    spoilt["amount"] = -1.0
    _gate(with_reference, contract, [(20, make_orders(20)), (22, make_orders(22))])
    assert steps() == 2
    _gate(with_reference, contract, [(22, make_orders(22))])  # the same again
    _gate(with_reference, contract, [(21, make_orders(21))])  # late
    _gate(with_reference, contract, [(24, spoilt)])  # refused
    assert steps() == 2
    paths = []
    for day in range(6):
        paths.append(tmp_path / f"again-{day}.parquet")
        make_orders(day).to_parquet(paths[-1], index=False)
    with at(with_reference) as place:
        other = reference.build(place, contract, paths)
        reference.approve(place, contract.name, other.sha256, by="test", reason="another one")
    assert steps() == 0


def test_rows_of_an_earlier_batch_that_come_again_are_told(
    with_reference: Path, contract: tg.Contract, make_orders: Make
) -> None:
    again = pd.concat([make_orders(20).head(130), make_orders(21).head(70)], ignore_index=True)
    few = pd.concat([make_orders(20).tail(30), make_orders(22).head(170)], ignore_index=True)
    clean, mostly = _gate(with_reference, contract, [(20, make_orders(20)), (21, again)])
    assert "redelivered_batch" not in _checks(clean)
    told = next(item for item in mostly.findings if item.check == "redelivered_batch")
    assert (told.severity.value, mostly.decision) == ("critical", tg.Decision.QUARANTINE)
    assert "65%" in told.message
    assert "'d20'" in told.message
    (partly,) = _gate(with_reference, contract, [(22, few)])
    assert [item.severity.value for item in partly.findings if item.check == "redelivered_batch"] == ["warning"]


@pytest.mark.parametrize(("failing", "told"), [(3, True), (0, False)])
def test_small_violations_day_after_day_burn_the_budget(
    failing: int, told: bool, with_reference: Path, contract: tg.Contract, make_orders: Make
) -> None:
    days = {day: make_orders(day) for day in range(20, 35)}
    for frame in days.values():
        frame.loc[frame.index[:failing], "amount"] = -1.0
    found = _gate(with_reference, contract, days.items())
    assert all(run.decision is tg.Decision.PUBLISH for run in found)
    assert ["error_budget_burn" in _checks(run) for run in found] == [False] * 13 + [told] * 2


def test_two_references_are_compared_column_by_column(
    with_reference: Path,
    contract: tg.Contract,
    contract_file: Callable[..., Path],
    make_orders: Make,
    tmp_path: Path,
    tidegate: Cli,
) -> None:
    old = _approved(with_reference, contract).sha256
    paths = []
    for day in range(15, 30):
        paths.append(tmp_path / f"reference-{day:02}.parquet")
        frame = make_orders(day)
        frame["amount"] = frame["amount"] * 1.5
        frame.loc[frame.index[:20], "note"] = "lent"
        frame.to_parquet(paths[-1], index=False)
    with at(with_reference) as place:
        new = reference.build(place, contract, paths).sha256
    answer = tidegate("reference", "diff", contract_file(), old[:12], new[:12], "--store", with_reference, "--json")
    found = json.loads(answer.out)
    assert (found["format"], found["old"], found["new"]) == (1, old, new)
    blocks = {name: value if name == "same" else len(value) for name, value in found["blocks"].items()}
    assert blocks == {"same": 0, "changed": 5, "came": 10, "went": 15}
    columns = {item["column"]: item for item in found["columns"]}
    assert 0.3 < columns["amount"]["shift"] < 1.5
    assert abs(columns["items"]["shift"]) < 0.2
    assert (columns["note"]["came"], columns["note"]["went"]) == (["lent"], [])
    wrong = tidegate("reference", "diff", contract_file(), "0" * 12, "--store", with_reference)
    assert wrong.code == 2
