"""Moderated variances: the limits in which one knows the answer, and the formulas written down again."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import digamma, polygamma

from tidegate_monitors.moderated import moderated


def drawn(seed: int, cells: int, freedom: float, prior: float | None = None, common: float = 1.0) -> np.ndarray:
    """Sample variances of cells whose true ones are the same, or vary as a scaled inverse chi-squared."""
    rng = np.random.default_rng(seed)
    true = np.full(cells, common) if prior is None else common * prior / rng.chisquare(prior, cells)
    return np.asarray(true * rng.chisquare(freedom, cells) / freedom)


def prior_of(variances: np.ndarray, freedom: np.ndarray) -> tuple[float, float]:
    """Smyth's moment estimates of d0 and s0², solved by bisection."""
    e = np.log(variances) - digamma(freedom / 2) + np.log(freedom / 2)
    left = float(((e - e.mean()) ** 2).sum() / (e.size - 1) - polygamma(1, freedom / 2).mean())
    d0 = 2 * float(brentq(lambda x: float(polygamma(1, x)) - left, 1e-6, 1e9))
    return d0, float(np.exp(e.mean() + digamma(d0 / 2) - np.log(d0 / 2)))


def test_equal_variances_are_pooled_with_infinite_freedom() -> None:
    freedom = np.array([4.0, 9.0, 13.0, 27.0])
    found = moderated(np.full(4, 2.5), freedom)
    np.testing.assert_allclose(found.variances, 2.5)
    assert np.isinf(found.freedom).all()


def test_variances_that_differ_by_chance_alone_are_pooled_by_their_freedom() -> None:
    variances, freedom = np.array([1.0, 1.1, 0.9, 1.05]), np.array([4.0, 10.0, 20.0, 6.0])
    found = moderated(variances, freedom)
    np.testing.assert_allclose(found.variances, (variances * freedom).sum() / freedom.sum())
    assert np.isinf(found.freedom).all()


@pytest.mark.parametrize(("prior", "freedom"), [(6.0, 13.0), (2.0, 27.0), (20.0, 6.0)])
def test_it_is_smyths_estimate(prior: float, freedom: float) -> None:
    d = np.full(200, freedom)
    variances = drawn(1, 200, freedom, prior, 1.7)
    d0, s0 = prior_of(variances, d)
    found = moderated(variances, d)
    np.testing.assert_allclose(found.freedom, d0 + freedom, rtol=1e-6)
    np.testing.assert_allclose(found.variances, (d0 * s0 + freedom * variances) / (d0 + freedom), rtol=1e-6)


def test_what_is_common_to_many_cells_is_recovered() -> None:
    freedom = np.full(5000, 10.0)
    found = moderated(drawn(2, 5000, 10, prior=8.0, common=3.0), freedom)
    assert float(found.freedom[0] - 10) == pytest.approx(8, rel=0.2)
    same = moderated(drawn(3, 5000, 10, common=3.0), freedom)
    assert same.variances.mean() == pytest.approx(3, rel=0.05)
    assert same.freedom[0] > 100


def test_moderated_variances_are_nearer_to_the_truth_than_raw_ones() -> None:
    rng = np.random.default_rng(4)
    true = 2 * 6 / rng.chisquare(6, 500)
    raw = true * rng.chisquare(5, 500) / 5
    found = moderated(raw, np.full(500, 5.0)).variances
    assert ((np.log(found) - np.log(true)) ** 2).mean() < 0.7 * ((np.log(raw) - np.log(true)) ** 2).mean()


def test_one_wild_cell_stays_the_widest_and_is_no_certainty_for_the_others() -> None:
    variances = np.append(drawn(5, 30, 13), 400.0)
    found = moderated(variances, np.full(31, 13.0))
    assert found.variances.argmax() == 30
    assert 50 < found.variances[30] < 400
    assert (found.variances[:30] < 4).all()
    assert np.isfinite(found.freedom).all()
    assert (found.freedom > 13).all()


def test_a_cell_without_freedom_gets_the_common_variance() -> None:
    variances = np.append(drawn(6, 40, 10, prior=5.0), 0.0)
    found = moderated(variances, np.append(np.full(40, 10.0), 0.0))
    d0, s0 = prior_of(variances[:40], np.full(40, 10.0))
    assert found.variances[40] == pytest.approx(s0, rel=1e-6)
    assert found.freedom[40] == pytest.approx(d0, rel=1e-6)


def test_a_cell_that_happened_not_to_vary_is_not_believed() -> None:
    found = moderated(np.append(drawn(7, 40, 6, prior=5.0), 0.0), np.full(41, 6.0))
    assert 0 < found.variances[40] < found.variances[:40].max()


@pytest.mark.parametrize("variances", [[], [3.0], [3.0, 1.0], [3.0, 1.0, 0.0]])
def test_fewer_than_three_cells_are_left_as_they_are(variances: list[float]) -> None:
    found = moderated(np.array(variances), np.full(len(variances), 6.0))
    assert found.variances.tolist() == variances
    assert found.freedom.tolist() == [6.0] * len(variances)


@settings(max_examples=25)
@given(st.lists(st.tuples(st.floats(1e-6, 1e6), st.integers(1, 90)), min_size=3, max_size=30), st.floats(1e-3, 1e3))
def test_it_draws_together_never_past_one_another_and_knows_no_unit(
    cells: list[tuple[float, int]], unit: float
) -> None:
    variances, freedom = (np.array(item, dtype=float) for item in zip(*cells, strict=True))
    found = moderated(variances, freedom)
    assert np.isfinite(found.variances).all()
    assert (found.variances > 0).all()
    assert (found.freedom >= freedom).all()
    order = np.argsort(variances[freedom == freedom[0]], kind="stable")
    assert (np.diff(found.variances[freedom == freedom[0]][order]) >= -1e-9 * found.variances.max()).all()
    scaled = moderated(variances * unit, freedom)
    np.testing.assert_allclose(scaled.variances, found.variances * unit, rtol=1e-4)


def test_variances_that_have_nothing_in_common_are_left_nearly_as_they_are() -> None:
    variances = np.array([10.0**power for power in range(-9, 10, 3)])
    found = moderated(variances, np.full(7, 50.0))
    np.testing.assert_allclose(np.log(found.variances)[1:], np.log(variances)[1:], atol=0.1)
    assert variances[0] < found.variances[0] < variances[1]
    assert math.isfinite(found.freedom[0])
