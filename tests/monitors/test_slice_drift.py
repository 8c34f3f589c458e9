"""Predictions that moved within one slice, and which slice carries a shift."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import tidegate as tg
from tidegate_contracts.severity import Severity
from tidegate_monitors.alarms import alarms
from tidegate_monitors.comparison import Comparison, Place
from tidegate_monitors.faults.prediction_drift import prediction_drift
from tidegate_monitors.faults.unit_change import unit_change
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Reference
from tidegate_monitors.slice_drift import carrier, slice_comparisons

DAYS = [date(2013, 4, 11), date(2013, 4, 23), date(2013, 5, 21), date(2013, 5, 29)]


def _exceeding(profile: Profile, reference: Reference, contract: tg.Contract) -> list[Comparison]:
    found = slice_comparisons(profile, reference, contract, np.random.default_rng(7))
    return [comparison for comparison in found if comparison.exceeds]


@pytest.mark.parametrize("day", DAYS, ids=str)
@pytest.mark.parametrize("value", ["UA", "US", "WN"])
def test_predictions_that_moved_in_one_slice_are_found_there(
    value: str, day: date, deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    table = prediction_drift(deliveries[day], "p_late", 1.5, by="carrier", value=value)
    found = _exceeding(Profile.of(table, reference.layout), reference, flights_contract)
    loudest = max(found, key=lambda comparison: comparison.ratio or 0.0)
    assert (loudest.column, loudest.check, loudest.slice) == ("p_late", "prediction_drift", f"carrier={value}")
    assert loudest.place[1] == f"carrier={value}"
    assert {item.direction for item in found if item.statistic == "location" and item.slice == loudest.slice} <= {1}


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_a_day_that_is_late_everywhere_names_no_slice(
    day: date, deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    table = prediction_drift(deliveries[day], "p_late", 0.7)
    assert _exceeding(Profile.of(table, reference.layout), reference, flights_contract) == []


def test_natural_days_exceed_no_more_often_than_was_promised(
    natural: dict[date, Profile], reference: Reference, flights_contract: tg.Contract
) -> None:
    places = [{item.place for item in _exceeding(p, reference, flights_contract)} for p in natural.values()]
    assert sum(map(bool, places)) <= 2 * len(natural) / (len(reference.blocks) + 1)
    assert not any(one & other for one, other in pairwise(places))  # none twice in a row


def test_what_moved_in_one_slice_is_an_alarm_there_and_a_warning_in_the_next_batch(
    deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    previous: dict[Place, str | None] = {}
    said = []
    for day in DAYS[2:]:
        table = prediction_drift(deliveries[day], "p_late", 1.5, by="carrier", value="UA")
        found = _exceeding(Profile.of(table, reference.layout), reference, flights_contract)
        said.append([item for item in alarms(found, previous, flights_contract) if item.slice == "carrier=UA"])
        previous = dict.fromkeys((item.place for item in found), str(day))
    assert [(item.check, item.column, item.severity) for batch in said for item in batch] == [
        ("prediction_drift", "p_late", Severity.INFO),
        ("prediction_drift", "p_late", Severity.WARNING),
    ]
    assert "column 'p_late' in carrier=UA" in said[0][0].message


def test_few_blocks_or_no_prediction_give_no_comparison(
    natural: dict[date, Profile], reference: Reference, flights_contract: tg.Contract
) -> None:
    profile, rng = natural[DAYS[0]], np.random.default_rng(1)
    few = replace(reference, blocks=reference.blocks[:4])
    assert slice_comparisons(profile, few, flights_contract, rng) == ()
    assert slice_comparisons(profile, reference, replace(flights_contract, prediction=None), rng) == ()
    assert slice_comparisons(Profile.empty(reference.layout), reference, flights_contract, rng) == ()


def test_the_slice_that_carries_a_shift_is_named_with_the_share_it_carries(
    deliveries: dict[date, Any], reference: Reference
) -> None:
    table = deliveries[DAYS[0]]
    inside = np.asarray([value == "LGA" for value in table["origin"].to_pylist()])
    whole, moved = table["distance"].to_numpy(), unit_change(table, "distance", 3.0)["distance"].to_numpy()
    mixed = table.set_column(table.column_names.index("distance"), "distance", [np.where(inside, moved, whole)])
    found = carrier(Profile.of(mixed, reference.layout), reference, "distance")
    assert found is not None
    assert found[0] == "origin=LGA"
    assert 0.8 < found[1] <= 1


def test_no_slice_carries_what_all_of_them_share(deliveries: dict[date, Any], reference: Reference) -> None:
    table = unit_change(deliveries[DAYS[0]], "distance", 3.0)
    assert carrier(Profile.of(table, reference.layout), reference, "distance") is None
    assert carrier(Profile.empty(reference.layout), reference, "distance") is None


def test_a_slice_that_is_gone_carries_the_change_of_the_mix(deliveries: dict[date, Any], reference: Reference) -> None:
    table = deliveries[DAYS[0]]
    kept = table.filter(np.asarray([value != "EWR" for value in table["origin"].to_pylist()]))
    found = carrier(Profile.of(kept, reference.layout), reference, "carrier")
    assert found is not None
    assert found[0] == "origin=EWR"
