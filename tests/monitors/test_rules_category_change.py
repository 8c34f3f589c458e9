"""Categories that vanish, and categories under a new name."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

import tidegate as tg
from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.faults.category_change import new_category, renamed_category, vanished_category
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Reference
from tidegate_monitors.rules import Evidence, rules

DAYS = [date(2013, 4, 11), date(2013, 5, 21), date(2013, 9, 5), date(2013, 12, 12)]
CATEGORIES = [("carrier", "UA"), ("carrier", "WN"), ("origin", "JFK"), ("dest", "ORD"), ("dest", "BOS")]


def _judged(table: Any, column: str, reference: Reference, contract: tg.Contract) -> list[Alarm]:
    found = rules()["category_change"](Evidence(Profile.of(table, reference.layout), reference, contract))
    return [alarm for alarm in found if alarm.column == column]


@pytest.mark.parametrize("day", DAYS, ids=str)
@pytest.mark.parametrize(("column", "name"), CATEGORIES)
def test_a_category_under_a_new_name_stops_the_batch_and_the_old_name_is_told(
    column: str,
    name: str,
    day: date,
    deliveries: dict[date, Any],
    reference: Reference,
    flights_contract: tg.Contract,
) -> None:
    table = renamed_category(deliveries[day], column, name, "ZZZ")
    (alarm,) = _judged(table, column, reference, flights_contract)
    assert (alarm.check, alarm.severity) == ("category_change", Severity.CRITICAL)
    assert repr(name) in alarm.message
    assert "renamed?" in alarm.message
    cells = reference.layout.cells[column]
    rows = sum(value not in {*cells.kept, *cells.pooled} for value in table[column].to_pylist())
    assert rows >= table[column].to_pylist().count("ZZZ") > 0
    assert f"{rows} of {table.num_rows}" in alarm.message
    assert "ZZZ" not in alarm.message
    assert alarm.score == pytest.approx(rows / table.num_rows)


@pytest.mark.parametrize("day", DAYS, ids=str)
@pytest.mark.parametrize(("column", "name"), CATEGORIES)
def test_a_category_that_is_gone_is_told(
    column: str,
    name: str,
    day: date,
    deliveries: dict[date, Any],
    reference: Reference,
    flights_contract: tg.Contract,
) -> None:
    (alarm,) = _judged(vanished_category(deliveries[day], column, name), column, reference, flights_contract)
    assert (alarm.check, alarm.severity) == ("category_change", Severity.WARNING)
    assert repr(name) in alarm.message
    assert "renamed" not in alarm.message
    assert alarm.score is not None
    assert alarm.threshold is not None
    assert alarm.score >= alarm.threshold > 0


def test_a_new_category_that_is_far_larger_than_the_one_that_is_gone_is_not_its_new_name(
    deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    gone = vanished_category(deliveries[DAYS[0]], "carrier", "WN")
    table = new_category(gone, "carrier", "ZZ", round(0.09 * gone.num_rows), np.random.default_rng(1))
    (alarm,) = _judged(table, "carrier", reference, flights_contract)
    assert alarm.severity is Severity.WARNING
    assert "'WN', which every block had, is gone" in alarm.message
    assert "renamed" not in alarm.message


def test_no_category_of_a_natural_day_is_gone(
    natural: dict[date, Profile], reference: Reference, flights_contract: tg.Contract
) -> None:
    judge = rules()["category_change"]
    found = [
        alarm.message for profile in natural.values() for alarm in judge(Evidence(profile, reference, flights_contract))
    ]
    assert not [message for message in found if "gone" in message or "no row" in message or "renamed" in message]


def test_a_small_batch_may_lack_a_category(
    deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    few = vanished_category(deliveries[DAYS[0]], "carrier", "WN").slice(0, 60)
    assert _judged(few, "carrier", reference, flights_contract) == []
