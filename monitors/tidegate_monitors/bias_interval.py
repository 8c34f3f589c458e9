"""The interval of a prediction bias: the batch is the unit of replication."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, stdtrit

Floats = npt.NDArray[np.float64]

BATCHES_MINIMUM = 5
BATCHES_SOUND = 14
_RARE = 5.0
_LEVEL = 0.95


class Evidence(StrEnum):
    """How far an interval can be believed."""

    SUFFICIENT = "sufficient"
    APPROXIMATE = "approximate"
    INSUFFICIENT = "insufficient"


@dataclass(frozen=True, slots=True)
class Interval:
    """Between which values a bias lies, in 95 of 100 cases.

    Attributes:
        low: In the label's unit; None where nothing can be said.
        high: In the label's unit; None where nothing can be said.
        batches: How many batches it rests on, unequal ones counted for less; 0 or more.
        evidence: ``insufficient`` under 5 batches, where rows are taken as independent; ``approximate`` under 14.
    """

    low: float | None
    high: float | None
    batches: float
    evidence: Evidence


@dataclass(frozen=True, slots=True, eq=False)
class Replicates:
    """One cell's batches; every array has shape (batches,).

    Attributes:
        n: Rows with prediction and label.
        predictions: Sums of their predictions.
        labels: Sums of their labels.
        squares: Sums of squared differences of the two.
    """

    n: Floats
    predictions: Floats
    labels: Floats
    squares: Floats


def interval(cell: Replicates, *, binary: bool) -> Interval:
    """The 95 % interval of mean(prediction) - mean(label).

    For numbers the ratio estimator's, clustered by batch, with t of batches - 1 degrees of freedom. For labels of 0 and
    1 the interval of the mean label is Wilson's at the effective number of rows n / design effect, the design effect
    being the clustered variance of the bias over that of independent labels, and it is laid around the mean prediction;
    where n·y·(1 - y) < 5 it is widened to hold Clopper's and Pearson's at that size, which is exact and conservative.

    Under 5 batches rows are taken as independent, and the interval says so by its evidence: what days do is unknown.

    Source: W. G. Cochran (1977), Sampling Techniques, 3rd ed., section 6.4 (ratio estimator); E. B. Wilson (1927),
    Journal of the American Statistical Association 22(158), 209-212; C. J. Clopper, E. S. Pearson (1934), Biometrika
    26(4), 404-413; the effective sample size E. L. Korn, B. I. Graubard (1998), Survey Methodology 24(2), 193-201.
    """
    rows = float(cell.n.sum())
    if rows <= 0:
        return Interval(None, None, 0.0, Evidence.INSUFFICIENT)
    batches = effective_batches(cell.n)
    evidence = evidence_of(batches)
    bias = float((cell.predictions - cell.labels).sum()) / rows
    spread = max(0.0, float(cell.squares.sum()) / rows - bias**2)
    alone = evidence is Evidence.INSUFFICIENT
    variance = spread / rows if alone else clustered_variance(cell, bias)
    quantile = float(stdtrit(np.inf if alone else batches - 1, 0.5 + _LEVEL / 2))
    if not binary:
        reach = quantile * variance**0.5
        return Interval(bias - reach, bias + reach, batches, evidence) if rows > 1 else _unknown(batches)
    mean = float(cell.labels.sum()) / rows
    low, high = _of_rate(mean, rows, variance, quantile)
    prediction = float(cell.predictions.sum()) / rows
    return Interval(prediction - high, prediction - low, batches, evidence)


def effective_batches(n: Floats) -> float:
    """How many batches of equal size would weigh as much: (sum of n)² over the sum of n².

    Source: L. Kish (1965), Survey Sampling, section 11.7.
    """
    return float(n.sum() ** 2 / (n**2).sum()) if n.any() else 0.0


def evidence_of(batches: float) -> Evidence:
    """What so many batches can carry; a little unequal ones count as equal."""
    if batches < BATCHES_MINIMUM - 0.5:
        return Evidence.INSUFFICIENT
    return Evidence.APPROXIMATE if batches < BATCHES_SOUND - 0.5 else Evidence.SUFFICIENT


def clustered_variance(cell: Replicates, bias: float) -> float:
    """The variance of a bias from what batches do, two or more of them with rows."""
    used = cell.n > 0
    batches = int(used.sum())
    residuals = (cell.predictions - cell.labels - bias * cell.n)[used]
    return float(batches / (batches - 1) * (residuals**2).sum() / cell.n.sum() ** 2)


def _of_rate(mean: float, rows: float, variance: float, quantile: float) -> tuple[float, float]:
    """The interval of a mean label."""
    single = mean * (1 - mean) / rows
    effect = variance / single if single > 0 else 1.0
    low, high = _wilson(mean, rows / effect, quantile) if variance > 0 else (mean, mean)
    if rows * mean * (1 - mean) < _RARE:
        exact = _clopper_pearson(mean, rows / max(1.0, effect))
        return min(low, exact[0]), max(high, exact[1])
    return low, high


def _wilson(mean: float, rows: float, quantile: float) -> tuple[float, float]:
    weight = quantile**2 / rows
    middle = (mean + weight / 2) / (1 + weight)
    reach = quantile / (1 + weight) * (mean * (1 - mean) / rows + weight / (4 * rows)) ** 0.5
    return middle - reach, middle + reach


def _clopper_pearson(mean: float, rows: float) -> tuple[float, float]:
    hits, tail = mean * rows, (1 - _LEVEL) / 2
    low = float(betaincinv(hits, rows - hits + 1, tail)) if hits > 0 else 0.0
    high = float(betaincinv(hits + 1, rows - hits, 1 - tail)) if hits < rows else 1.0
    return low, high


def _unknown(batches: float) -> Interval:
    return Interval(None, None, batches, Evidence.INSUFFICIENT)
