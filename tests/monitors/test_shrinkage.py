"""Shrunk estimates: between the raw one and the parent, by how much cells truly differ."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate_monitors.shrinkage import between_variance, shrunk

cells = st.lists(st.tuples(st.floats(-1, 1), st.floats(1e-6, 1)), min_size=1, max_size=20)


def arrays(parts: list[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    estimates, variances = zip(*parts, strict=True)
    return np.array(estimates), np.array(variances)


def der_simonian_laird(estimates: list[float], variances: list[float]) -> float:
    """The moment estimator, written down sum by sum."""
    w = [1 / v for v in variances]
    mean = sum(a * b for a, b in zip(w, estimates, strict=True)) / sum(w)
    q = sum(a * (b - mean) ** 2 for a, b in zip(w, estimates, strict=True))
    return max(0.0, (q - (len(w) - 1)) / (sum(w) - sum(a * a for a in w) / sum(w)))


@settings(max_examples=25)
@given(cells.filter(lambda parts: len(parts) > 1))
def test_the_variance_between_cells_is_der_simonians_and_lairds(parts: list[tuple[float, float]]) -> None:
    estimates, variances = arrays(parts)
    expected = der_simonian_laird(estimates.tolist(), variances.tolist())
    assert between_variance(estimates, variances) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@settings(max_examples=25)
@given(cells, st.floats(-1, 1))
def test_each_estimate_is_drawn_towards_its_parent_and_never_past_it(
    parts: list[tuple[float, float]], parent: float
) -> None:
    estimates, variances = arrays(parts)
    parents = np.full_like(estimates, parent)
    found = shrunk(estimates, variances, parents)
    assert (np.minimum(estimates, parents) - 1e-12 <= found).all()
    assert (found <= np.maximum(estimates, parents) + 1e-12).all()
    tau = between_variance(estimates - parents, variances)
    np.testing.assert_allclose(found, (tau * estimates + variances * parent) / (tau + variances), atol=1e-9)


def test_the_less_is_known_of_a_cell_the_more_it_is_drawn() -> None:
    estimates, parents = np.array([0.3, 0.3, 0.3, -0.3, -0.3]), np.zeros(5)
    found = shrunk(estimates, np.array([0.0001, 0.01, 0.1, 0.001, 0.002]), parents)
    assert 0.3 > found[0] > found[1] > found[2] > 0
    assert found[3] < found[4] < 0


def test_cells_that_differ_by_chance_alone_are_all_at_their_parents() -> None:
    estimates, parents = np.array([0.11, 0.1, 0.09]), np.array([0.0, 0.1, 0.2])
    assert between_variance(np.array([0.11, 0.1, 0.09]), np.full(3, 0.04)) == 0
    assert shrunk(estimates, np.full(3, 0.04), parents).tolist() == parents.tolist()


def test_cells_that_truly_differ_stay_where_they_are() -> None:
    estimates = np.array([-1.0, 0.0, 1.0])
    np.testing.assert_allclose(shrunk(estimates, np.full(3, 1e-9), np.zeros(3)), estimates, atol=1e-8)


def test_a_cell_without_rows_is_at_its_parent_and_counts_for_nothing() -> None:
    estimates, variances = np.array([0.5, -0.5, 9.0]), np.array([0.01, 0.01, math.inf])
    found = shrunk(estimates, variances, np.array([0.0, 0.0, 0.2]))
    assert found[2] == 0.2
    np.testing.assert_allclose(found[:2], shrunk(estimates[:2], variances[:2], np.zeros(2)))


def test_one_cell_alone_shows_no_difference_between_cells() -> None:
    assert between_variance(np.array([0.5]), np.array([0.01])) == 0
    assert between_variance(np.array([0.5, 0.1]), np.array([0.01, math.inf])) == 0
    assert between_variance(np.zeros(0), np.zeros(0)) == 0


def test_estimates_without_any_variance_are_numbers_too() -> None:
    found = shrunk(np.array([0.0, 0.0, 0.1]), np.zeros(3), np.zeros(3))
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found[:2], 0)


def test_shrunk_estimates_are_nearer_to_the_truth_than_raw_ones() -> None:
    rng = np.random.default_rng(1)
    true = rng.normal(0.02, 0.03, 300)
    variances = rng.uniform(0.0005, 0.005, 300)
    raw = rng.normal(true, np.sqrt(variances))
    found = shrunk(raw, variances, np.full(300, 0.02))
    assert ((found - true) ** 2).mean() < 0.6 * ((raw - true) ** 2).mean()
