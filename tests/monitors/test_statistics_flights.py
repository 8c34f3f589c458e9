"""On real flights: a fault in a column is plain to the statistic that is meant for it, and its clean twin is not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import scipy.stats

from tidegate_monitors.statistics import Array, statistics
from tidegate_monitors.statistics.circular_lag import lag_and_gain
from tidegate_monitors.statistics.overdispersed_chi_squared import design_effect, model_based_p_value

# winter time only: its odd days are the reference, its even days the clean twin
WINTER = ("2013-01-02", "2013-03-09")
TEMPERATURES = np.linspace(-10, 100, 111)


@dataclass(frozen=True, slots=True)
class Winter:
    """Flights of the odd and of the even days of one winter, and of a day after the clocks were changed."""

    reference: pd.DataFrame
    clean: pd.DataFrame
    summer_time: pd.DataFrame


@pytest.fixture(scope="module")
def winter(flights: pd.DataFrame) -> Winter:
    day = flights["day"].astype(str)
    inside = flights[day.between(*WINTER)].dropna(subset=["temp", "dewp", "distance"])
    odd = pd.to_datetime(inside["day"]).dt.dayofyear % 2 == 1
    return Winter(inside[odd], inside[~odd], flights[day == "2013-03-13"])


def _score(name: str, current: Array, reference: Array, *needed: Array) -> float:
    return float(statistics()[name].score(current, reference, *needed))


def _binned(values: pd.Series, edges: npt.ArrayLike) -> Array:
    return np.histogram(values, edges)[0].astype(float)


def _hours(frame: pd.DataFrame) -> Array:
    return np.bincount(frame["scheduled"].dt.hour, minlength=24).astype(float)


def test_clocks_that_were_changed_are_one_hour_early(winter: Winter) -> None:
    assert _score("circular_lag", _hours(winter.clean), _hours(winter.reference)) == 0
    assert _score("circular_lag", _hours(winter.summer_time), _hours(winter.reference)) == -1
    assert float(lag_and_gain(_hours(winter.summer_time), _hours(winter.reference))[1]) > 0.05


def test_kilometres_in_place_of_miles_are_their_quantile_ratio(winter: Winter) -> None:
    edges = np.geomspace(10, 20_000, 400)
    middle = np.sqrt(edges[1:] * edges[:-1])
    reference = _binned(winter.reference["distance"], edges)
    clean = _score("quantile_ratio", _binned(winter.clean["distance"], edges), reference, middle)
    faulty = _score("quantile_ratio", _binned(winter.clean["distance"] * 1.609344, edges), reference, middle)
    assert abs(clean) <= 0.02
    assert np.exp(faulty) == pytest.approx(1.609344, rel=0.02)


def _order(less: pd.Series, greater: pd.Series) -> Array:
    sign = np.sign(less - greater)
    return np.array([(sign == way).sum() for way in (-1, 0, 1)], dtype=float)


def test_swapped_columns_turn_the_order_of_the_pair(winter: Winter) -> None:
    reference = _order(winter.reference["dewp"], winter.reference["temp"])
    assert abs(_score("pair_order", _order(winter.clean["dewp"], winter.clean["temp"]), reference)) < 0.02
    assert _score("pair_order", _order(winter.clean["temp"], winter.clean["dewp"]), reference) < -0.95


def _shuffled(frame: pd.DataFrame) -> pd.DataFrame:
    """Each column as it was, and nothing left of how they hang together."""
    return frame.assign(dewp=np.random.default_rng(1).permutation(frame["dewp"]))


def _quadrants(frame: pd.DataFrame, medians: pd.Series) -> Array:
    high = [frame[name] > medians[name] for name in ("temp", "dewp")]
    return np.array([(high[0].eq(a) & high[1].eq(b)).sum() for a in (True, False) for b in (True, False)], dtype=float)


def test_columns_that_no_longer_hang_together_have_another_correlation(winter: Winter) -> None:
    medians = winter.reference[["temp", "dewp"]].median()
    reference = _quadrants(winter.reference, medians)
    assert abs(_score("correlation_change", _quadrants(winter.clean, medians), reference)) < 0.1
    assert _score("correlation_change", _quadrants(_shuffled(winter.clean), medians), reference) < -0.4


def _leaves(frame: pd.DataFrame, quartiles: pd.DataFrame) -> Array:
    cells = [np.searchsorted(quartiles[name], frame[name]) for name in ("temp", "dewp")]
    return np.bincount(4 * cells[0] + cells[1], minlength=16).astype(float)


def test_a_classifier_tells_rows_whose_columns_no_longer_hang_together(winter: Winter) -> None:
    quartiles = winter.reference[["temp", "dewp"]].quantile([0.25, 0.5, 0.75])
    reference = _leaves(winter.reference, quartiles)
    clean = _score("domain_auc", _leaves(winter.clean, quartiles), reference)
    faulty = _score("domain_auc", _leaves(_shuffled(winter.clean), quartiles), reference)
    assert faulty > 0.4
    assert clean < faulty / 2


def _buckets(values: pd.Series) -> Array:
    hashes = pd.util.hash_array(values.to_numpy())
    return np.bincount(hashes % np.uint64(64), minlength=64).astype(float)


def test_a_placeholder_is_a_new_atom(winter: Winter) -> None:
    reference = _buckets(winter.reference["distance"])
    faulty = winter.clean["distance"].mask(np.random.default_rng(1).random(len(winter.clean)) < 0.05, -999.0)
    assert _score("new_atoms", _buckets(winter.clean["distance"]), reference) < 0.01
    assert 0.04 < _score("new_atoms", _buckets(faulty), reference) < 0.06


@pytest.mark.parametrize(
    ("name", "clean_at_most", "faulty_at_least"),
    [("wasserstein", 3.0, 20.0), ("wasserstein_scaled", 0.25, 2.0), ("energy_distance", 1.0, 5.0)],
)
def test_celsius_in_place_of_fahrenheit_is_far(
    winter: Winter, name: str, clean_at_most: float, faulty_at_least: float
) -> None:
    places = (TEMPERATURES[1:] + TEMPERATURES[:-1]) / 2
    reference = _binned(winter.reference["temp"], TEMPERATURES)
    assert _score(name, _binned(winter.clean["temp"], TEMPERATURES), reference, places) < clean_at_most
    celsius = (winter.clean["temp"] - 32) / 1.8
    assert _score(name, _binned(celsius, TEMPERATURES), reference, places) > faulty_at_least


def _by_day(frame: pd.DataFrame, cells: pd.Series, number: int) -> Array:
    """Counts of each day, shape (days, cells)."""
    return np.array([np.bincount(part, minlength=number) for _, part in cells.groupby(frame["day"])], dtype=float)


def test_weather_that_is_one_all_day_is_no_alarm_once_the_design_effect_is_known(winter: Winter) -> None:
    edges = winter.reference["temp"].quantile([0.2, 0.4, 0.6, 0.8])
    blocks, days = (
        _by_day(frame, pd.Series(np.searchsorted(edges, frame["temp"]), index=frame.index), 5)
        for frame in (winter.reference, winter.clean)
    )
    pooled = blocks.sum(axis=0)
    plain = scipy.stats.chi2.sf(statistics()["chi_squared"].score(days, pooled), 4)
    careful = model_based_p_value(
        statistics()["overdispersed_chi_squared"].score(days, pooled, blocks), cells=5, blocks=len(blocks)
    )
    assert float(design_effect(blocks)) > 50
    assert (plain < 0.01).mean() > 0.9
    assert (careful < 0.01).mean() <= 0.05


def test_a_carrier_under_another_name_is_an_alarm_in_spite_of_the_design_effect(winter: Winter) -> None:
    names = sorted({*winter.reference["carrier"], *winter.clean["carrier"]})
    blocks, days = (
        _by_day(frame, frame["carrier"].map(names.index), len(names)) for frame in (winter.reference, winter.clean)
    )
    faulty = days.copy()
    faulty[:, names.index("AA")] += faulty[:, names.index("UA")]
    faulty[:, names.index("UA")] = 0
    score = statistics()["overdispersed_chi_squared"].score
    clean, found = (
        model_based_p_value(score(side, blocks.sum(axis=0), blocks), cells=len(names), blocks=len(blocks))
        for side in (days, faulty)
    )
    assert (clean < 0.001).mean() <= 0.05
    assert (found < 0.001).all()
