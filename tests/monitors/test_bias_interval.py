"""Intervals of a bias: against independent formulas, and by how often they hold the truth."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tidegate_monitors.bias_interval import (
    BATCHES_MINIMUM,
    BATCHES_SOUND,
    Evidence,
    Interval,
    Replicates,
    effective_batches,
    evidence_of,
    interval,
)


def cell(parts: list[tuple[Any, Any]]) -> Replicates:
    """Of the predictions and labels of each batch."""
    arrays = [(np.asarray(p, dtype=float), np.asarray(y, dtype=float)) for p, y in parts]
    sums = [(p.size, p.sum(), y.sum(), ((p - y) ** 2).sum()) for p, y in arrays]
    return Replicates(*np.array(sums, dtype=float).T)


def ends(found: Interval) -> tuple[float, float]:
    assert found.low is not None
    assert found.high is not None
    return found.low, found.high


def batches(seed: int, count: int, rows: Any, rate: float, day_sd: float = 0.0) -> list[tuple[Any, Any]]:
    """Batches of a model that always says the rate; days move the labels."""
    rng = np.random.default_rng(seed)
    sizes = np.broadcast_to(rows, count)
    rates = np.clip(rate + rng.normal(0, day_sd, count), 0, 1)
    return [(np.full(n, rate), rng.random(n) < r) for n, r in zip(sizes, rates, strict=True)]


def wilson(mean: float, rows: float, quantile: float) -> tuple[float, float]:
    """The rates from which the mean lies a quantile of their own standard errors away: roots of a quadratic."""
    share = quantile**2 / rows
    roots = np.sort(np.roots([1 + share, -(2 * mean + share), mean**2]).real)
    return float(roots[0]), float(roots[1])


def clustered_error(parts: list[tuple[Any, Any]]) -> float:
    """Cochran's standard error of a ratio, written down again."""
    totals = [float((np.asarray(p) - np.asarray(y)).sum()) for p, y in parts]
    sizes = [len(y) for _, y in parts]
    ratio, k = sum(totals) / sum(sizes), len(parts)
    mean_size = sum(sizes) / k
    between = sum((t - ratio * n) ** 2 for t, n in zip(totals, sizes, strict=True)) / (k - 1)
    return float(math.sqrt(between / k) / mean_size)


@pytest.mark.parametrize("count", [5, 6, 14, 28])
def test_of_numbers_in_equal_batches_it_is_students_interval_of_batch_means(count: int) -> None:
    rng = np.random.default_rng(count)
    parts = [(rng.normal(5, 2, 40), rng.normal(4, 2, 40) + rng.normal(0, 0.5)) for _ in range(count)]
    means = [float((p - y).mean()) for p, y in parts]
    expected = stats.t.interval(0.95, count - 1, loc=np.mean(means), scale=stats.sem(means))
    found = interval(cell(parts), binary=False)
    assert ends(found) == pytest.approx(expected, abs=1e-9)
    assert found.batches == pytest.approx(count)


def test_of_numbers_in_unequal_batches_it_is_the_ratio_estimators() -> None:
    rng = np.random.default_rng(3)
    sizes = rng.integers(10, 80, 12)
    parts = [(rng.normal(5, 2, n), rng.normal(4, 2, n) + rng.normal(0, 0.5)) for n in sizes]
    kish = sizes.sum() ** 2 / (sizes**2).sum()
    bias = sum((p - y).sum() for p, y in parts) / sizes.sum()
    reach = float(stats.t.ppf(0.975, kish - 1)) * clustered_error(parts)
    found = interval(cell(parts), binary=False)
    assert ends(found) == pytest.approx((bias - reach, bias + reach), abs=1e-9)
    assert found.batches == pytest.approx(kish)


@pytest.mark.parametrize("count", [1, 4])
def test_of_numbers_in_few_batches_rows_are_taken_as_independent_and_it_says_so(count: int) -> None:
    rng = np.random.default_rng(4)
    parts = [(rng.normal(5, 2, 50), rng.normal(4, 2, 50)) for _ in range(count)]
    left = np.concatenate([p - y for p, y in parts])
    expected = stats.norm.interval(0.95, loc=left.mean(), scale=left.std() / math.sqrt(left.size))
    found = interval(cell(parts), binary=False)
    assert ends(found) == pytest.approx(expected, abs=1e-9)
    assert found.evidence is Evidence.INSUFFICIENT


@pytest.mark.parametrize(("rows", "hits"), [(200, 40), (50, 25), (1000, 995), (60, 6)])
def test_of_rates_in_one_batch_it_is_wilsons_laid_around_the_mean_prediction(rows: int, hits: int) -> None:
    label = np.arange(rows) < hits
    found = interval(cell([(np.full(rows, 0.3), label)]), binary=True)
    told = stats.binomtest(hits, rows).proportion_ci(0.95, method="wilson")
    low, high = told.low, told.high
    if rows * hits / rows * (1 - hits / rows) < 5:
        exact = stats.binomtest(hits, rows).proportion_ci(0.95, method="exact")
        low, high = min(low, exact.low), max(high, exact.high)
    assert ends(found) == pytest.approx((0.3 - high, 0.3 - low), abs=1e-9)


@pytest.mark.parametrize(("rows", "hits"), [(30, 0), (30, 30), (1, 1), (1, 0), (200, 2)])
def test_of_rare_or_equal_labels_it_holds_the_exact_interval(rows: int, hits: int) -> None:
    parts = [(np.full(rows, 0.5), np.arange(rows) < hits)]
    low, high = ends(interval(cell(parts), binary=True))
    exact = stats.binomtest(hits, rows).proportion_ci(0.95, method="exact")
    plain = stats.binomtest(hits, rows).proportion_ci(0.95, method="wilson")
    bias = 0.5 - hits / rows
    assert low <= 0.5 - exact.high + 1e-9 <= bias + 1e-9
    assert high >= 0.5 - exact.low - 1e-9 >= bias - 1e-9
    if 0 < hits < rows:
        assert (low, high) == pytest.approx(
            (0.5 - max(exact.high, plain.high), 0.5 - min(exact.low, plain.low)), abs=1e-9
        )


@pytest.mark.parametrize("count", [6, 14, 28])
def test_of_rates_that_days_move_it_is_wilsons_at_the_effective_size(count: int) -> None:
    parts = batches(count, count, 300, 0.2, 0.06)
    mean = float(np.concatenate([y for _, y in parts]).mean())
    rows = 300 * count
    effect = clustered_error(parts) ** 2 / (mean * (1 - mean) / rows)
    low, high = wilson(mean, rows / effect, float(stats.t.ppf(0.975, count - 1)))
    found = interval(cell(parts), binary=True)
    assert ends(found) == pytest.approx((0.2 - high, 0.2 - low), abs=1e-9)
    assert effect > 1


def test_of_rare_labels_that_days_move_the_exact_interval_is_that_of_the_effective_size() -> None:
    parts = [(np.full(40, 0.02), np.arange(40) < hits) for hits in (0, 0, 3, 0, 0, 0)]
    mean, rows = 3 / 240, 240.0
    effect = clustered_error(parts) ** 2 / (mean * (1 - mean) / rows)
    assert effect > 1
    size = rows / effect
    exact = (
        stats.beta.ppf(0.025, mean * size, size - mean * size + 1),
        stats.beta.ppf(0.975, mean * size + 1, size - mean * size),
    )
    around = wilson(mean, size, float(stats.t.ppf(0.975, 5)))
    expected = 0.02 - max(exact[1], around[1]), 0.02 - min(exact[0], around[0])
    assert ends(interval(cell(parts), binary=True)) == pytest.approx(expected, abs=1e-9)


def test_without_labelled_rows_nothing_is_said() -> None:
    for parts in ([([], [])], [([], [])] * 20):
        for binary in (True, False):
            assert interval(cell(parts), binary=binary) == Interval(None, None, 0.0, Evidence.INSUFFICIENT)


def test_of_one_number_nothing_is_said_and_of_two_in_one_batch_something() -> None:
    assert interval(cell([([3.0], [1.0])]), binary=False).low is None
    low, high = ends(interval(cell([([3.0, 2.0], [1.0, 1.5])]), binary=False))
    assert low < 1.25 < high


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("count", [1, 5, 20])
def test_labels_that_are_all_equal_leave_an_interval_that_can_be_true(value: float, count: int) -> None:
    parts = [(np.full(30, 0.4), np.full(30, value))] * count
    low, high = ends(interval(cell(parts), binary=True))
    assert low < high
    assert 0.4 - 1 - 1e-9 <= low <= 0.4 - value + 1e-9
    assert 0.4 - value - 1e-9 <= high <= 0.4 + 1e-9


def test_batches_without_rows_are_none() -> None:
    parts = batches(1, 9, 50, 0.3, 0.05)
    nothing: tuple[Any, Any] = ([], [])
    assert interval(cell([*parts, nothing, nothing]), binary=True) == interval(cell(parts), binary=True)
    assert interval(cell([*parts, nothing]), binary=False) == interval(cell(parts), binary=False)


def test_how_far_it_is_to_be_believed_hangs_on_batches_and_unequal_ones_count_for_less() -> None:
    assert [evidence_of(number) for number in (0, 4, 4.49, 4.5, 5, 13.4, 13.5, 14)] == [
        *["insufficient"] * 3, *["approximate"] * 3, *["sufficient"] * 2,
    ]  # fmt: skip
    assert (BATCHES_MINIMUM, BATCHES_SOUND) == (5, 14)
    assert effective_batches(np.array([7.0] * 6 + [0.0] * 9)) == pytest.approx(6)
    assert effective_batches(np.zeros(3)) == 0
    assert effective_batches(np.array([1000.0, *[1.0] * 20])) < 1.1
    lopsided = batches(2, 20, np.array([5000] + [5] * 19), 0.3)
    assert interval(cell(lopsided), binary=True).evidence is Evidence.INSUFFICIENT


@settings(max_examples=25)
@given(st.integers(0, 9999), st.integers(1, 20), st.booleans())
def test_it_holds_its_bias_and_mirrors_when_predictions_and_labels_do(seed: int, count: int, day: bool) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 40, count)
    parts = [(rng.random(n), rng.random(n) < (rng.random() if day else 0.3)) for n in sizes]
    bias = sum(float((p - y).sum()) for p, y in parts) / sizes.sum()
    for binary in (True, False):
        found = interval(cell(parts), binary=binary)
        mirrored = interval(cell([(1 - p, ~y) for p, y in parts]), binary=binary)
        if found.low is None:
            assert (binary, int(sizes.sum())) == (False, 1)
            continue
        low, high = ends(found)
        assert low - 1e-9 <= bias <= high + 1e-9
        assert ends(mirrored) == pytest.approx((-high, -low), abs=1e-9)
        assert mirrored.evidence is found.evidence


def test_of_numbers_it_scales_with_their_unit() -> None:
    rng = np.random.default_rng(5)
    parts = [(rng.normal(5, 2, 30), rng.normal(4, 2, 30)) for _ in range(8)]
    low, high = ends(interval(cell(parts), binary=False))
    thousands = interval(cell([(p * 1000, y * 1000) for p, y in parts]), binary=False)
    assert ends(thousands) == pytest.approx((low * 1000, high * 1000), rel=1e-9)


@pytest.mark.parametrize(
    ("count", "rows", "rate", "day_sd"),
    [(6, 300, 0.2, 0.05), (14, 300, 0.2, 0.05), (28, 100, 0.5, 0.1), (14, 20, 0.02, 0)],
)
def test_about_95_in_100_intervals_hold_the_truth(count: int, rows: int, rate: float, day_sd: float) -> None:
    held = 0
    for seed in range(300):
        low, high = ends(interval(cell(batches(seed, count, rows, rate, day_sd)), binary=True))
        held += low <= 0 <= high
    assert 0.91 <= held / 300 <= 1.0


def test_where_days_move_labels_rows_taken_as_independent_would_hold_it_far_less_often() -> None:
    clustered = naive = 0
    for seed in range(200):
        parts = batches(seed, 14, 1000, 0.2, 0.05)
        low, high = ends(interval(cell(parts), binary=True))
        clustered += low <= 0 <= high
        one = [(np.concatenate([p for p, _ in parts]), np.concatenate([y for _, y in parts]))]
        low, high = ends(interval(cell(one), binary=True))
        naive += low <= 0 <= high
    assert clustered >= 180
    assert naive <= 120
