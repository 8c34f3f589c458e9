"""Predictions that all stay below the decision threshold: found in real days, and only where chance is no excuse."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

import tidegate as tg
from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.column_profile import ColumnProfile
from tidegate_monitors.faults.threshold_unreached import threshold_unreached as shrunk
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Reference
from tidegate_monitors.rules import Evidence
from tidegate_monitors.rules.threshold_unreached import share_reaching, threshold_unreached

DAYS = [date(2013, 4, 10), date(2013, 5, 20), date(2013, 9, 4), date(2013, 11, 28)]


def said(profile: Profile, reference: Reference, contract: tg.Contract, threshold: float | None) -> list[Alarm]:
    return list(threshold_unreached(Evidence(profile, reference, replace(contract, decision_threshold=threshold))))


@pytest.mark.parametrize("day", DAYS, ids=str)
@pytest.mark.parametrize("threshold", [0.2, 0.25])
def test_a_batch_shrunk_below_the_threshold_is_found_and_its_clean_twin_is_not(
    threshold: float, day: date, deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    table = shrunk(deliveries[day], "p_late", threshold)
    (alarm,) = said(Profile.of(table, reference.layout), reference, flights_contract, threshold)
    assert (alarm.check, alarm.column, alarm.severity) == ("threshold_unreached", "p_late", Severity.CRITICAL)
    assert alarm.score is not None
    assert alarm.score == pytest.approx(0.01 * threshold)
    assert f"none of {table.num_rows} predictions reaches the decision threshold {threshold:g}" in alarm.message
    assert said(Profile.of(deliveries[day], reference.layout), reference, flights_contract, threshold) == []
    assert said(Profile.of(table, reference.layout), reference, flights_contract, None) == []


@pytest.mark.parametrize("threshold", [0.2, 0.3, 0.35, 0.5, 0.7, 0.9])
def test_no_natural_day_is_blamed_though_many_are_empty_above_a_high_threshold(
    threshold: float, natural: dict[date, Profile], reference: Reference, flights_contract: tg.Contract
) -> None:
    assert [day for day, p in natural.items() if said(p, reference, flights_contract, threshold)] == []
    empty = sum((profile.columns["p_late"].high or 0) < threshold for profile in natural.values())
    assert (empty > 50) is (threshold >= 0.5)


def test_few_rows_prove_nothing(
    deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    few = shrunk(deliveries[DAYS[0]], "p_late", 0.25).slice(0, 12)
    assert said(Profile.of(few, reference.layout), reference, flights_contract, 0.25) == []
    assert said(Profile.empty(reference.layout), reference, flights_contract, 0.25) == []


@pytest.mark.parametrize(
    ("least", "share"),
    [(0.05, 0.75), (0.1, 0.75), (0.15, 0.5), (0.2, 0.5), (0.9, 0.25), (1.0, 0.25), (1.1, 0.0)],
)
def test_only_whole_cells_above_the_threshold_count_and_the_greatest_value(least: float, share: float) -> None:
    block = ColumnProfile(rows=4, high=1.0, counts=(1, 1, 1, 1))
    assert share_reaching(block, (0.05, 0.1, 0.2), least) <= share
    assert share_reaching(ColumnProfile(), (0.1,), least) == 0
