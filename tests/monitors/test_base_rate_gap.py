"""The base rate: a mean prediction that the labels of earlier batches do not lead one to expect."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import stats

import tidegate as tg
from tidegate_contracts.severity import Severity
from tidegate_monitors.base_rate_gap import BATCHES, base_rate_gap
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Reference


@pytest.fixture(scope="module")
def rates(flights: pd.DataFrame) -> dict[date, float]:
    """The share of late flights by day."""
    return {day: float(late) for day, late in flights.groupby("day", sort=True)["late"].mean().items()}


def scaled(table: Any, factor: float) -> Any:
    """A day's deliveries whose predictions are so many times as great, at most 1."""
    values = np.minimum(table.column("p_late").to_numpy() * factor, 1.0)
    place = table.column_names.index("p_late")
    return table.set_column(place, "p_late", pa.array(values))


def before(rates: dict[date, float], day: date) -> list[float]:
    """What was known then: the labels of all days up to the one before."""
    return [rate for other, rate in rates.items() if other < day and rate == rate][-BATCHES:]


def test_predictions_three_times_too_great_leave_the_range_and_natural_days_do_not(
    natural: dict[date, Profile],
    deliveries: dict[date, Any],
    reference: Reference,
    rates: dict[date, float],
    flights_contract: tg.Contract,
) -> None:
    told = {day: base_rate_gap(profile, before(rates, day), flights_contract) for day, profile in natural.items()}
    assert sum(alarm is not None for alarm in told.values()) <= 2  # of 275 days, at 1 in 500
    day = date(2013, 5, 7)
    wrong = base_rate_gap(
        Profile.of(scaled(deliveries[day], 4.0), reference.layout), before(rates, day), flights_contract
    )
    assert told[day] is None
    assert wrong is not None
    assert (wrong.check, wrong.column, wrong.severity) == ("base_rate_gap", "p_late", Severity.WARNING)
    assert wrong.score is not None
    assert wrong.threshold is not None
    assert wrong.score > wrong.threshold


def test_the_range_is_the_one_that_one_more_observation_is_expected_in(
    natural: dict[date, Profile], flights_contract: tg.Contract
) -> None:
    profile = next(iter(natural.values()))
    mean = profile.columns["p_late"].moments.mean
    known = np.random.default_rng(1).normal(mean - 0.2, 0.02, 40)
    alarm = base_rate_gap(profile, known.tolist(), flights_contract)
    assert alarm is not None
    spread = stats.t(39).isf(0.1 / 50 / 2) * known.std(ddof=1) * np.sqrt(1 + 1 / 40)
    assert alarm.threshold == pytest.approx(spread, rel=1e-9)
    assert alarm.score == pytest.approx(mean - known.mean(), rel=1e-9)


def test_a_gap_within_the_tolerance_and_too_few_batches_say_nothing(
    natural: dict[date, Profile], flights_contract: tg.Contract
) -> None:
    profile = next(iter(natural.values()))
    mean = profile.columns["p_late"].moments.mean
    assert base_rate_gap(profile, [mean - 0.019, mean - 0.0191] * 20, flights_contract) is None
    assert base_rate_gap(profile, [mean - 0.03, mean - 0.0301] * 20, flights_contract) is not None
    assert base_rate_gap(profile, [mean - 0.3] * 13, flights_contract) is None


def test_only_two_classes_have_a_base_rate(natural: dict[date, Profile], flights_contract: tg.Contract) -> None:
    profile = next(iter(natural.values()))
    unlabelled = flights_contract.__class__(
        **{name: getattr(flights_contract, name) for name in ("name", "version", "owner", "schema", "prediction")}
    )
    assert base_rate_gap(profile, [0.9, 0.91] * 20, unlabelled) is None
