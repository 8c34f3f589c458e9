"""Errors by batch: against formulas that need no jackknife, and against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from tidegate_monitors.clustered import Estimate, bartlett, clustered, enough, unbiased


def _mean(sums: np.ndarray) -> float | None:
    return float(sums[0] / sums[1]) if sums[1] > 0 else None


VALUES = arrays(np.float64, st.integers(6, 40), elements=st.floats(-100, 100, width=32))


@given(VALUES)
def test_equal_batches_have_at_least_the_error_of_their_mean(values: np.ndarray) -> None:
    sums = np.stack([values * 10, np.full(values.size, 10.0)], axis=1)
    estimate = clustered(sums, _mean, sums[:, 1])
    assert estimate is not None
    assert estimate.value == pytest.approx(values.mean(), abs=1e-9)
    alone = values.std(ddof=1) / np.sqrt(values.size)
    left = values - values.mean()
    together = np.sqrt(max(0, left @ bartlett(values.size) @ left) * unbiased(values.size)) / values.size
    assert estimate.error == pytest.approx(max(alone, together), rel=1e-6, abs=1e-7)
    assert estimate.freedom == pytest.approx(values.size - 1)


def test_where_neighbours_differ_the_test_is_students() -> None:
    values = np.array([1.0, -0.5, 1.4, -0.2, 1.1, -0.4, 0.9, 0.1])
    sums = np.stack([values, np.ones(8)], axis=1)
    estimate = clustered(sums, _mean, sums[:, 1])
    assert estimate is not None
    assert estimate.above(0.1) == pytest.approx(stats.ttest_1samp(values, 0.1, alternative="greater").pvalue, abs=1e-9)
    assert estimate.below(0.1) == pytest.approx(stats.ttest_1samp(values, 0.1, alternative="less").pvalue, abs=1e-9)


def test_a_difference_is_welchs() -> None:
    first, second = np.random.default_rng(1).normal(0, 1, 12), np.random.default_rng(2).normal(0.5, 3, 20)
    one, two = (Estimate(x.mean(), x.std(ddof=1) / np.sqrt(x.size), x.size - 1) for x in (first, second))
    expected = stats.ttest_ind(first, second, equal_var=False, alternative="less")
    assert one.minus(two).below(0) == pytest.approx(expected.pvalue, abs=1e-9)


def test_one_test_in_twenty_is_wrong_where_batches_are_independent() -> None:
    rng = np.random.default_rng(8)
    wrong = 0
    for _ in range(1000):
        rows = rng.integers(60, 140, 14).astype(float)
        estimate = clustered(np.stack([rows * rng.normal(0, 1, 14), rows], axis=1), _mean, rows)
        assert estimate is not None
        wrong += estimate.above(0) <= 0.05
    assert 20 <= wrong <= 60


def test_batches_that_are_alike_count_for_less() -> None:
    rng = np.random.default_rng(3)
    slow = np.repeat(rng.normal(0, 1, 20), 3)
    mixed = rng.permutation(slow)
    errors = []
    for values in (slow, mixed):
        estimate = clustered(np.stack([values, np.ones(60)], axis=1), _mean, np.ones(60))
        assert estimate is not None
        errors.append(estimate.error)
    assert errors[0] > 1.3 * errors[1]


def test_fewer_than_five_batches_say_nothing_however_many_rows_they_have() -> None:
    sums = np.array([[1e6 * 0.3, 1e6]] * 4)
    assert clustered(sums, _mean, sums[:, 1]) is None
    assert not enough(np.array([1e6, 1, 1, 1, 1, 1]))
    assert clustered(np.zeros((0, 2)), _mean, np.zeros(0)) is None


def test_a_measure_that_hangs_on_one_batch_is_not_estimated() -> None:
    sums = np.array([[1.0, 0.0]] * 7 + [[1.0, 1.0]])
    assert clustered(sums, _mean, np.ones(8)) is None
