"""Gaps in one slice only are found, with the slice and the column named; gaps that nature makes are not."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import tidegate as tg
from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.faults.missingness_by_slice import missingness_by_slice
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Reference
from tidegate_monitors.rules import Evidence, rules

DAYS = [date(2013, 4, 10), date(2013, 7, 20), date(2013, 11, 28)]


def _judged(profile: Profile, reference: Reference, contract: tg.Contract) -> list[Alarm]:
    return list(rules()["missingness_by_slice"](Evidence(profile, reference, contract)))


@pytest.mark.parametrize("day", DAYS, ids=str)
@pytest.mark.parametrize(
    ("column", "by", "value", "share", "severity"),
    [
        ("distance", "origin", "JFK", 1.0, Severity.CRITICAL),
        ("p_late", "carrier", "WN", 1.0, Severity.CRITICAL),
        ("carrier", "origin", "LGA", 1.0, Severity.CRITICAL),
        ("temp", "origin", "JFK", 1.0, Severity.CRITICAL),
        ("p_late", "carrier", "UA", 0.5, Severity.WARNING),
        ("dest", "origin", "EWR", 0.2, Severity.WARNING),
        ("temp", "carrier", "UA", 0.5, Severity.WARNING),
    ],
)
def test_the_slice_that_lost_its_values_is_named_and_no_other(
    deliveries: dict[date, Any],
    reference: Reference,
    flights_contract: tg.Contract,
    day: date,
    column: str,
    by: str,
    value: str,
    share: float,
    severity: Severity,
) -> None:
    faulty = missingness_by_slice(deliveries[day], column, by, value, share, np.random.default_rng(1))
    (alarm,) = _judged(Profile.of(faulty, reference.layout), reference, flights_contract)
    assert (alarm.column, alarm.slice, alarm.severity) == (column, f"{by}={value}", severity)
    assert alarm.score is not None
    assert alarm.threshold is not None
    assert alarm.score > alarm.threshold
    assert repr(column) in alarm.message
    assert repr(value) in alarm.message


def test_two_slices_that_lost_the_same_column_are_both_named(
    deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    table, rng = deliveries[DAYS[0]], np.random.default_rng(2)
    for value in ("JFK", "LGA"):
        table = missingness_by_slice(table, "distance", "origin", value, 1.0, rng)
    found = _judged(Profile.of(table, reference.layout), reference, flights_contract)
    assert [alarm.slice for alarm in found] == ["origin=JFK", "origin=LGA"]


def test_no_natural_day_and_no_block_has_gaps_that_belong_to_a_slice(
    natural: dict[date, Profile], reference: Reference, flights_contract: tg.Contract
) -> None:
    profiles = [*natural.values(), *(block.profile for block in reference.blocks)]
    assert [alarm for profile in profiles for alarm in _judged(profile, reference, flights_contract)] == []


@pytest.mark.parametrize("share", [0.05, 0.5, 1.0])
def test_gaps_that_are_everywhere_belong_to_no_slice(
    deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract, share: float
) -> None:
    table = deliveries[DAYS[0]]
    gone = np.random.default_rng(3).random(table.num_rows) < share
    values = pa.array(np.where(gone, np.nan, table["distance"].to_numpy()))
    faulty = table.set_column(table.column_names.index("distance"), "distance", values)
    assert _judged(Profile.of(faulty, reference.layout), reference, flights_contract) == []


def test_infinite_values_of_a_slice_are_no_gaps(
    deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    table = deliveries[DAYS[0]]
    jfk = np.array([value == "JFK" for value in table["origin"].to_pylist()])
    values = pa.array(np.where(jfk, np.inf, table["distance"].to_numpy()))
    faulty = table.set_column(table.column_names.index("distance"), "distance", values)
    assert _judged(Profile.of(faulty, reference.layout), reference, flights_contract) == []
