"""Extreme values in a bunch: found in real days, and the slice they come from named only where it is plain."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

import tidegate as tg
from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.faults.garbage_values import garbage_values
from tidegate_monitors.faults.outlier_burst import outlier_burst
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Reference
from tidegate_monitors.rules import Evidence, rules

DAYS = [date(2013, 4, 11), date(2013, 6, 2), date(2013, 9, 5), date(2013, 12, 12)]


def _judged(table: Any, reference: Reference, contract: tg.Contract) -> list[Alarm]:
    return list(rules()["outlier_burst"](Evidence(Profile.of(table, reference.layout), reference, contract)))


def _burst(table: Any, column: str, share: float, **place: str) -> Any:
    rows = round(share * table.num_rows)
    return outlier_burst(table, column, 20.0, rows, np.random.default_rng(rows), **place)


@pytest.mark.parametrize("day", DAYS, ids=str)
@pytest.mark.parametrize("column", ["distance", "p_late", "temp", "pressure", "visib"])
def test_extreme_values_in_a_bunch_are_found_on_their_column(
    column: str, day: date, deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    (alarm,) = _judged(_burst(deliveries[day], column, 0.05), reference, flights_contract)
    assert (alarm.check, alarm.column, alarm.severity) == ("outlier_burst", column, Severity.WARNING)
    assert alarm.score is not None
    assert alarm.threshold is not None
    assert alarm.score > alarm.threshold >= 0.025


@pytest.mark.parametrize("day", DAYS, ids=str)
@pytest.mark.parametrize(("by", "value"), [("origin", "JFK"), ("carrier", "UA")])
def test_the_slice_that_they_come_from_is_named(
    by: str, value: str, day: date, deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    table = _burst(deliveries[day], "visib", 0.05, by=by, value=value)
    (alarm,) = _judged(table, reference, flights_contract)
    assert alarm.slice == f"{by}={value}"
    assert f"in {by}={value}" in alarm.message


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_no_slice_is_named_where_they_come_from_everywhere(
    day: date, deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    (alarm,) = _judged(_burst(deliveries[day], "visib", 0.05), reference, flights_contract)
    assert alarm.slice is None


def test_no_natural_day_has_a_bunch_of_extremes(
    natural: dict[date, Profile], reference: Reference, flights_contract: tg.Contract
) -> None:
    judge = rules()["outlier_burst"]
    profiles = {**natural, **{block.batch: block.profile for block in reference.blocks}}
    found = [day for day, profile in profiles.items() if list(judge(Evidence(profile, reference, flights_contract)))]
    assert len(profiles) > 300
    assert found == []


def test_one_value_that_stands_in_for_many_is_no_bunch_of_extremes(
    deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    table = garbage_values(deliveries[DAYS[0]], "distance", 9999.0, 90, np.random.default_rng(1))
    assert _judged(table, reference, flights_contract) == []
