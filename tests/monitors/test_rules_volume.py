"""Too few or too many rows in one slice, while the whole is as usual."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

import tidegate as tg
from tidegate_contracts.batch import Window
from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.faults.slice_volume import slice_volume
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Reference
from tidegate_monitors.rules import Evidence, rules

DAYS = [date(2013, 4, 11), date(2013, 5, 21), date(2013, 5, 29)]


def _window(day: date) -> Window:
    start = datetime.combine(day, time(), ZoneInfo("America/New_York"))
    return Window(start, start + timedelta(days=1))


@pytest.fixture(scope="module")
def learnt(reference: Reference, flights_contract: tg.Contract) -> Callable[[Profile, date], list[Alarm]]:
    """The rule's word on a profile of some day, with a reference whose blocks know their days."""
    contract = replace(flights_contract, volume="learnt")
    blocks = tuple(replace(block, window=_window(date.fromisoformat(block.batch))) for block in reference.blocks)
    known = replace(reference, blocks=blocks)
    return lambda profile, day: list(rules()["volume"](Evidence(profile, known, contract, _window(day))))


@pytest.mark.parametrize("day", DAYS, ids=str)
@pytest.mark.parametrize("carrier", ["US", "WN", "9E"])
def test_a_slice_that_is_nearly_lost_is_found_though_the_whole_is_as_usual(
    carrier: str,
    day: date,
    learnt: Callable[[Profile, date], list[Alarm]],
    deliveries: dict[date, Any],
    reference: Reference,
) -> None:
    table = slice_volume(deliveries[day], "carrier", carrier, 0.2, np.random.default_rng(1))
    (alarm,) = learnt(Profile.of(table, reference.layout), day)
    assert (alarm.check, alarm.slice, alarm.severity) == ("volume", f"carrier={carrier}", Severity.CRITICAL)
    assert alarm.score is not None
    assert alarm.score > 1
    assert f"slice carrier={carrier}: " in alarm.message


def test_a_whole_that_lost_rows_is_told_of_and_its_slices_are_not(
    learnt: Callable[[Profile, date], list[Alarm]], deliveries: dict[date, Any], reference: Reference
) -> None:
    table = slice_volume(deliveries[DAYS[0]], "origin", "JFK", 0.0, np.random.default_rng(1))
    (alarm,) = learnt(Profile.of(table, reference.layout), DAYS[0])
    assert alarm.slice is None


def test_a_slice_of_few_rows_is_not_judged(
    learnt: Callable[[Profile, date], list[Alarm]], deliveries: dict[date, Any], reference: Reference
) -> None:
    table = slice_volume(deliveries[DAYS[0]], "carrier", "VX", 0.0, np.random.default_rng(1))
    assert table.num_rows < deliveries[DAYS[0]].num_rows
    assert learnt(Profile.of(table, reference.layout), DAYS[0]) == []


def test_of_all_natural_days_one_lost_so_many_rows_of_one_slice(
    learnt: Callable[[Profile, date], list[Alarm]], natural: dict[date, Profile]
) -> None:
    found = [(day, alarm.slice) for day, profile in natural.items() for alarm in learnt(profile, day)]
    assert [item for item in found if item[1]] == [(date(2013, 12, 31), "carrier=EV")]  # New Year's Eve
