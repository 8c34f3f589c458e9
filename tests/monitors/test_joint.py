"""Columns that no longer hang together are found although each of them looks as usual."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

import tidegate as tg
from tidegate_contracts.batch import Batch, Source
from tidegate_contracts.check import check
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.compare import compare
from tidegate_monitors.faults.joint_drift import joint_drift
from tidegate_monitors.joint import Joint
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Reference
from tidegate_monitors.verdict import decide, observe

DAYS = [date(2013, 4, 9), date(2013, 4, 18), date(2013, 5, 7), date(2013, 5, 21), date(2013, 6, 5)]


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_a_column_in_the_wrong_rows_is_joint_drift_and_its_clean_twin_is_not(
    day: date, deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    def told(table: Any) -> list[Alarm]:
        batch = Batch(flights_contract.name, "b", Source("b.parquet", ".parquet", "", 0), table, table)
        rng = np.random.default_rng(60)
        profile = Profile.of(table, reference.layout)
        seen = observe(check(batch, flights_contract), profile, reference, flights_contract, rng)
        return [item for item in decide(seen, {}, flights_contract).findings if isinstance(item, Alarm)]

    clean = deliveries[day]
    (alarm,) = [a for a in told(joint_drift(clean, "distance", np.random.default_rng(61))) if a.check == "joint_drift"]
    assert alarm.column is None
    assert "'distance'" in alarm.message
    assert "joint_drift" not in {item.check for item in told(clean)}


def test_calm_margins_are_why_no_other_statistic_sees_it(
    deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    table = joint_drift(deliveries[DAYS[0]], "distance", np.random.default_rng(62))
    found = compare(Profile.of(table, reference.layout), reference, flights_contract, np.random.default_rng(63))
    assert {item.check for item in found if item.exceeds} == {"joint_drift"}
    assert all(not item.exceeds for item in found if item.column == "distance")


def test_halves_are_counted_pair_by_pair() -> None:
    rng = np.random.default_rng(64)
    columns = rng.standard_normal((4, 10_000))
    columns[:, rng.random(10_000) < 0.1] = np.nan
    halves = [(column > 0, column <= 0) for column in columns]
    found = Joint.of(halves)
    places = [(a, b) for a in range(4) for b in range(a + 1, 4)]
    for (a, b), table in zip(places, found.tables, strict=True):
        wanted = [(halves[a][i] & halves[b][j]).sum() for i in (0, 1) for j in (0, 1)]
        assert list(table) == wanted
    assert sum(found.leaves) == 10_000
    assert Joint.of([]) == Joint.empty(0)
