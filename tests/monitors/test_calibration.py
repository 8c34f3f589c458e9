"""Calibration: against independent computation, and on real flights."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_cohorts import cohort, deciles, pairs_of
from scipy.optimize import root
from scipy.special import expit, logit

from tidegate_monitors.calibration import Calibration
from tidegate_monitors.pairs import Pairs, no_pairs
from tidegate_monitors.recalibration import recalibration
from tidegate_monitors.tally import Rows, Tally

EDGES = tuple(np.arange(1, 10) / 10)


def _tally(prediction: np.ndarray, label: np.ndarray, edges: tuple[float, ...] = EDGES) -> Tally:
    return Tally.of(Rows(prediction, label, np.isfinite(label), {}, prediction >= 0.5), edges)


def _pairs(*parts: tuple[np.ndarray, np.ndarray], outcome: str = "") -> Callable[[], Iterator[Pairs]]:
    return lambda: (Pairs(str(i), outcome, p, y, p >= 0.5) for i, (p, y) in enumerate(parts))


@given(st.integers(0, 10_000), st.integers(2, 300), st.booleans())
def test_the_score_is_the_sum_of_its_parts(seed: int, rows: int, binary: bool) -> None:
    rng = np.random.default_rng(seed)
    prediction = rng.beta(1, 2, rows)
    label = (rng.random(rows) < prediction).astype(float) if binary else prediction + rng.normal(0, 0.3, rows)
    found = Calibration.of(_tally(prediction, label), no_pairs, probability=False)
    assert found.brier == pytest.approx(((prediction - label) ** 2).mean(), abs=1e-9)
    assert None not in (found.reliability, found.resolution, found.uncertainty, found.within)
    assert found.brier == pytest.approx(
        found.reliability - found.resolution + found.uncertainty + found.within, abs=1e-9
    )
    assert found.uncertainty == pytest.approx(label.var(), abs=1e-9)


def test_squared_error_and_calibration_error_of_numbers_near_a_billion_are_those_of_the_rows() -> None:
    rng = np.random.default_rng(1)
    label = 1e9 + rng.normal(size=500)
    prediction = label + 5 + rng.normal(size=500)
    found = Calibration.of(_tally(prediction, label, ()), no_pairs, probability=False)
    assert found.brier == pytest.approx(((prediction - label) ** 2).mean(), rel=1e-9)
    assert found.ece == pytest.approx((prediction - label).mean(), rel=1e-9)


@given(st.integers(0, 10_000), st.integers(2, 300))
def test_error_and_table_are_those_of_the_rows(seed: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    prediction, label = rng.random(rows), (rng.random(rows) < 0.3).astype(float)
    found = Calibration.of(_tally(prediction, label), no_pairs, probability=False)
    frame = pd.DataFrame({"p": prediction, "y": label})
    groups = frame.groupby(np.searchsorted(EDGES, prediction, side="left"))
    expected = (groups.size() * (groups.p.mean() - groups.y.mean()).abs()).sum() / rows
    assert found.ece == pytest.approx(expected, abs=1e-9)
    assert [row.n for row in found.table] == groups.size().tolist()
    assert [row.mean_label for row in found.table] == pytest.approx(groups.y.mean().tolist(), abs=1e-9)


@given(st.integers(0, 10_000))
def test_least_squares_is_numpys(seed: int) -> None:
    rng = np.random.default_rng(seed)
    prediction = rng.normal(3, 2, 200)
    label = 1 + 0.7 * prediction + rng.normal(0, 1, 200)
    found = Calibration.of(_tally(prediction, label), no_pairs, probability=False)
    slope, intercept = np.polyfit(prediction, label, 1)
    assert (found.slope, found.intercept) == pytest.approx((slope, intercept), abs=1e-9)


@given(st.integers(0, 10_000), st.floats(0.3, 2), st.floats(-1, 1))
def test_the_recalibration_solves_the_likelihood_however_rows_are_cut(seed: int, slope: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    prediction = rng.beta(2, 3, 400)
    x = logit(prediction)
    label = (rng.random(400) < expit(shift + slope * x)).astype(float)
    found = recalibration(_pairs((prediction[:10], label[:10]), (prediction[10:], label[10:])))

    def score(line: np.ndarray) -> list[float]:
        wrong = label - expit(line[0] + line[1] * x)
        return [wrong.sum(), wrong @ x]

    assert found is not None
    assert root(score, [0, 1], tol=1e-14).x[::-1] == pytest.approx(found, abs=1e-9)


def test_no_line_is_invented_where_there_is_none() -> None:
    p = np.array([0.1, 0.2, 0.8, 0.9] * 10)
    assert recalibration(_pairs((p, np.ones(40)))) is None
    assert recalibration(_pairs((p, (p > 0.5).astype(float)))) is None  # told apart without an error
    assert recalibration(_pairs((np.full(40, 0.3), np.array([0.0, 1.0] * 20)))) is None
    assert recalibration(no_pairs) is None
    sure = np.array([0.0, 1.0, 0.0, 1.0] * 10)
    assert recalibration(_pairs((sure, np.array([0.0, 1.0, 1.0, 0.0] * 10)))) is not None  # clipped, finite


def test_nothing_is_said_of_no_rows() -> None:
    found = Calibration.of(Tally.empty(10), no_pairs, probability=True)
    assert found.n == 0
    assert found.ece is None
    assert found.to_dict()["table"] == []


def test_january_is_calibrated_and_september_is_too_high(flights: pd.DataFrame) -> None:
    frame = flights.rename(columns={"p_late": "prediction", "late": "label"})[["day", "prediction", "label"]]
    month = pd.to_datetime(frame["day"]).dt.month
    edges = deciles(frame.loc[month == 1, "prediction"])
    january, september = (
        Calibration.of(cohort("2013-01-01", part, edges).tallies[""], pairs_of(part), probability=True)
        for part in (frame[month == 1], frame[month == 9])
    )
    assert january.ece is not None
    assert september.ece is not None
    assert january.ece < 0.06 < september.ece
    assert september.intercept is not None
    assert september.intercept < -0.8
    assert set(january.to_dict()) >= {"ece", "slope", "intercept", "brier", "reliability", "within", "table"}
