"""The least p-value over nested windows: against the multivariate normal, and simulated."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tidegate_monitors.nested_windows import nested_level


def exact(p_value: float, lengths: tuple[int, ...]) -> float:
    """The chance that any of the windows' standardised sums is that far out, by scipy's integral."""
    n = np.array(lengths, dtype=float)
    correlation = np.sqrt(np.minimum.outer(n, n) / np.maximum.outer(n, n))
    z = np.full(n.size, -stats.norm.ppf(p_value / 2))
    normal = stats.multivariate_normal(np.zeros(n.size), correlation, abseps=1e-6, releps=1e-6, maxpts=10**6, seed=1)
    return 1 - float(normal.cdf(z, lower_limit=-z))


def level(p_value: float, lengths: tuple[int, ...]) -> float:
    return float(nested_level(np.array([p_value]), lengths)[0])


@pytest.mark.parametrize("lengths", [(7, 15), (7, 28), (1, 2), (5, 6), (7, 14, 28), (7, 28, 90)])
@pytest.mark.parametrize("p_value", [0.5, 0.05, 0.001])
def test_it_is_the_multivariate_normals(p_value: float, lengths: tuple[int, ...]) -> None:
    assert level(p_value, lengths) == pytest.approx(exact(p_value, lengths), rel=0.01)


def test_it_is_what_walks_do() -> None:
    rng = np.random.default_rng(1)
    walks = rng.standard_normal((40_000, 28)).cumsum(axis=1)
    lengths = (7, 14, 28)
    standard = np.stack([walks[:, length - 1] / np.sqrt(length) for length in lengths])
    least = 2 * stats.norm.sf(np.abs(standard)).min(axis=0)
    adjusted = nested_level(least, lengths)
    for rate in (0.2, 0.05, 0.01):
        assert (adjusted <= rate).mean() == pytest.approx(rate, abs=4 * np.sqrt(rate / 40_000))
    assert stats.kstest(adjusted[adjusted < 0.6], stats.uniform(0, 0.6).cdf).pvalue > 1e-3


def test_one_window_adjusts_nothing() -> None:
    p_values = np.array([0.0, 1e-9, 0.3, 1.0])
    assert nested_level(p_values, (28,)).tolist() == p_values.tolist()


@settings(max_examples=25)
@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=20),
    st.lists(st.integers(1, 9), min_size=1, max_size=4).map(lambda steps: tuple(np.cumsum(steps).tolist())),
)
def test_it_lies_between_the_p_value_and_the_sum_over_windows(p_values: list[float], lengths: tuple[int, ...]) -> None:
    p = np.array(p_values)
    found = nested_level(p, lengths)
    assert (found >= p).all()
    assert (found <= np.minimum(1, p * len(lengths)) + 1e-15).all()


@pytest.mark.parametrize("lengths", [(7, 28), (7, 14, 28)])
def test_more_evidence_never_looks_like_less(lengths: tuple[int, ...]) -> None:
    found = nested_level(np.sort(2 * stats.norm.sf(np.linspace(0, 6.49, 2000))), lengths)
    assert (np.diff(found) >= 0).all()


def test_far_out_it_is_the_sum_over_windows_and_of_no_evidence_one() -> None:
    assert level(1e-40, (7, 28)) == pytest.approx(2e-40)
    assert level(0.0, (7, 28)) == 0.0
    assert level(1.0, (7, 28)) == 1.0


def test_windows_that_hold_nearly_the_same_batches_cost_little_and_others_nearly_all() -> None:
    assert level(0.01, (27, 28)) < 0.0135
    assert level(0.01, (1, 1000)) > 0.0195
