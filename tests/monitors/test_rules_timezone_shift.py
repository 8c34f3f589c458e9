"""Times that are some hours off are found, with how many and which way; schedules that change are not."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

import tidegate as tg
from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.faults.timezone_shift import timezone_shift
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Reference
from tidegate_monitors.rules import Evidence, rules

DAYS = [date(2013, 4, 10), date(2013, 7, 20), date(2013, 11, 13)]


def _judged(table: Any, reference: Reference, contract: tg.Contract) -> list[Alarm]:
    return list(rules()["timezone_shift"](Evidence(Profile.of(table, reference.layout), reference, contract)))


@pytest.mark.parametrize("day", DAYS, ids=str)
@pytest.mark.parametrize("hours", [-8, -5, -1, 1, 2, 4, 11])
def test_times_that_are_some_hours_off_are_told_with_how_many(
    deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract, day: date, hours: int
) -> None:
    (alarm,) = _judged(timezone_shift(deliveries[day], "scheduled", hours), reference, flights_contract)
    assert (alarm.check, alarm.column, alarm.severity) == ("timezone_shift", "scheduled", Severity.CRITICAL)
    unit = "hour" if abs(hours) == 1 else "hours"
    assert f"{abs(hours)} {unit} {'later' if hours > 0 else 'earlier'}" in alarm.message
    assert alarm.score is not None
    assert alarm.threshold is not None
    assert alarm.score > alarm.threshold


def test_no_natural_day_and_no_block_is_shifted(
    natural: dict[date, Profile], reference: Reference, flights_contract: tg.Contract
) -> None:
    profiles = [*natural.values(), *(block.profile for block in reference.blocks)]
    judge = rules()["timezone_shift"]
    assert [alarm for profile in profiles for alarm in judge(Evidence(profile, reference, flights_contract))] == []


@pytest.mark.parametrize("part", ["morning", "evening", "few"])
def test_a_part_of_a_day_is_no_shift(
    deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract, part: str
) -> None:
    for day in DAYS:
        table = deliveries[day]
        half = table.num_rows // 2
        rows = {"morning": range(half), "evening": range(half, table.num_rows), "few": range(0, half, 60)}[part]
        assert _judged(table.take(np.array(rows)), reference, flights_contract) == []


def test_a_whole_day_off_leaves_the_hours_as_they_were(
    deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    assert _judged(timezone_shift(deliveries[DAYS[0]], "scheduled", 24), reference, flights_contract) == []
