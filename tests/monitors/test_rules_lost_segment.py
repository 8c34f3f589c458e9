"""A slice that did not come is named; slices that are rare, renamed or only outgrown are not lost."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import tidegate as tg
from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.faults.lost_segment import lost_segment
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Reference
from tidegate_monitors.rules import Evidence, rules

DAYS = [date(2013, 4, 10), date(2013, 7, 20), date(2013, 11, 28)]


def _judged(table: Any, reference: Reference, contract: tg.Contract) -> list[Alarm]:
    return list(rules()["lost_segment"](Evidence(Profile.of(table, reference.layout), reference, contract)))


@pytest.mark.parametrize("day", DAYS, ids=str)
@pytest.mark.parametrize(("share", "severity"), [(1.0, Severity.CRITICAL), (0.9, Severity.WARNING)], ids=str)
@pytest.mark.parametrize("slice_", ["origin=JFK", "origin=LGA", "carrier=UA", "carrier=US", "carrier=WN"])
def test_a_lost_slice_is_named_and_no_other(
    deliveries: dict[date, Any],
    reference: Reference,
    flights_contract: tg.Contract,
    day: date,
    share: float,
    severity: Severity,
    slice_: str,
) -> None:
    by, _, value = slice_.partition("=")
    faulty = lost_segment(deliveries[day], by, value, share, np.random.default_rng(1))
    (alarm,) = _judged(faulty, reference, flights_contract)
    assert (alarm.column, alarm.slice, alarm.severity) == (by, slice_, severity)
    assert alarm.score is not None
    assert alarm.threshold is not None
    assert alarm.score > alarm.threshold
    assert repr(value) in alarm.message


def test_no_natural_day_and_no_block_lost_a_slice(
    natural: dict[date, Profile], reference: Reference, flights_contract: tg.Contract
) -> None:
    profiles = [*natural.values(), *(block.profile for block in reference.blocks)]
    judge = rules()["lost_segment"]
    assert [alarm for profile in profiles for alarm in judge(Evidence(profile, reference, flights_contract))] == []


@pytest.mark.parametrize("value", ["HA", "YV", "F9", "AS"])
def test_a_rare_slice_may_be_absent(
    deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract, value: str
) -> None:
    for day in DAYS:
        faulty = lost_segment(deliveries[day], "carrier", value, 1.0, np.random.default_rng(1))
        assert _judged(faulty, reference, flights_contract) == []


@pytest.mark.parametrize("rows", [1, 10, 20])
def test_few_rows_prove_no_loss(
    deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract, rows: int
) -> None:
    for day in DAYS:
        assert _judged(deliveries[day].slice(0, rows), reference, flights_contract) == []


@pytest.mark.parametrize("fresh", ["ua", None])
def test_rows_that_were_renamed_or_lost_their_value_are_not_lost(
    deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract, fresh: str | None
) -> None:
    table = deliveries[DAYS[0]]
    names = pa.array([fresh if name == "UA" else name for name in table["carrier"].to_pylist()], pa.string())
    renamed = table.set_column(table.column_names.index("carrier"), "carrier", names)
    assert _judged(renamed, reference, flights_contract) == []


def test_a_slice_is_not_lost_because_another_one_grew(
    deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    table = deliveries[DAYS[0]]
    ewr = table.filter(pa.array([name == "EWR" for name in table["origin"].to_pylist()]))
    assert _judged(pa.concat_tables([table, *[ewr] * 20]), reference, flights_contract) == []


def test_a_column_that_came_empty_or_with_one_value_lost_no_slice_of_its_own(
    deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    table = deliveries[DAYS[0]]
    place = table.column_names.index("carrier")
    for values in (pa.nulls(table.num_rows, pa.string()), pa.array(["UA"] * table.num_rows)):
        assert _judged(table.set_column(place, "carrier", values), reference, flights_contract) == []
