"""Measures of a model that are functions of sums: of shape (17,), see ``Sum``; None where one is not defined."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from tidegate_monitors.clustered import Measure
from tidegate_monitors.tally import WIDTH, Sum

Floats = npt.NDArray[np.float64]

_NOTHING = 1e-9
_ROUNDING = 1e-12


def over(numerator: float, denominator: float) -> float | None:
    """A quotient; None where its denominator is nothing but rounding."""
    return float(numerator / denominator) if denominator > _NOTHING else None


def squared(sums: Floats) -> float:
    """The sum of squared differences of prediction and label."""
    return float(sums[Sum.SQUARED])


def mse(sums: Floats) -> float | None:
    """The mean squared error; for probabilities the Brier score. Source: G. W. Brier (1950), Monthly Weather Review."""
    return over(squared(sums), sums[Sum.N])


def variance(sums: Floats, first: Sum = Sum.Y, second: Sum = Sum.YY) -> float | None:
    """The variance of labels (or of what else is summed and squared); None for no rows or none but rounding."""
    mean, square = over(sums[first], sums[Sum.N]), over(sums[second], sums[Sum.N])
    if mean is None or square is None:
        return None
    found = square - mean**2
    return found if found > _ROUNDING * square else None


def loss_ratio(sums: Floats) -> float | None:
    """The mean squared error over the variance of labels: 1 is what always saying the mean label would do."""
    error, spread = mse(sums), variance(sums)
    return None if error is None or spread is None else error / spread


def skill(sums: Floats) -> float | None:
    """One less :func:`loss_ratio`: the Brier skill score against the base rate, or R²; at most 1."""
    ratio = loss_ratio(sums)
    return None if ratio is None else 1 - ratio


def slope(sums: Floats) -> float | None:
    """Of the label on the prediction by least squares; 1 where predictions are right on average."""
    spread = variance(sums, Sum.P, Sum.PP)
    if spread is None:
        return None
    together = sums[Sum.PY] / sums[Sum.N] - sums[Sum.P] * sums[Sum.Y] / sums[Sum.N] ** 2
    return float(together / spread)


def mean_label(sums: Floats) -> float | None:
    """The mean label; of a class its base rate."""
    return over(sums[Sum.Y], sums[Sum.N])


def mean_error(sums: Floats) -> float | None:
    """Mean prediction less mean label."""
    return over(sums[Sum.DIFFERENCE], sums[Sum.N])


def mae(sums: Floats) -> float | None:
    """The mean absolute error."""
    return over(sums[Sum.ERROR], sums[Sum.N])


def rmse(sums: Floats) -> float | None:
    """The root of the mean squared error."""
    error = mse(sums)
    return None if error is None else math.sqrt(error)


def accuracy(sums: Floats) -> float | None:
    """The share of rows rightly called."""
    return over(sums[Sum.N] - sums[Sum.CALLS] - sums[Sum.Y] + 2 * sums[Sum.HITS], sums[Sum.N])


def error_rate(sums: Floats) -> float | None:
    """The share of rows wrongly called."""
    return over(sums[Sum.CALLS] + sums[Sum.Y] - 2 * sums[Sum.HITS], sums[Sum.N])


def precision(sums: Floats) -> float | None:
    """The share of calls that came true."""
    return over(sums[Sum.HITS], sums[Sum.CALLS])


def recall(sums: Floats) -> float | None:
    """The share of positives that were called."""
    return over(sums[Sum.HITS], sums[Sum.Y])


def specificity(sums: Floats) -> float | None:
    """The share of negatives that were not called."""
    negatives = sums[Sum.N] - sums[Sum.Y]
    return over(negatives - sums[Sum.CALLS] + sums[Sum.HITS], negatives)


def f1(sums: Floats) -> float | None:
    """The harmonic mean of precision and recall."""
    return over(2 * sums[Sum.HITS], sums[Sum.CALLS] + sums[Sum.Y])


def balanced_accuracy(sums: Floats) -> float | None:
    """The mean of recall and specificity."""
    first, second = recall(sums), specificity(sums)
    return None if first is None or second is None else (first + second) / 2


def mcc(sums: Floats) -> float | None:
    """The correlation of calls and labels. Source: B. W. Matthews (1975), Biochimica et Biophysica Acta 405(2)."""
    n, calls, positives = (float(sums[item]) for item in (Sum.N, Sum.CALLS, Sum.Y))
    spread = calls * (n - calls) * positives * (n - positives)
    return (float(sums[Sum.HITS]) * n - calls * positives) / math.sqrt(spread) if spread > _NOTHING else None


def kappa(sums: Floats) -> float | None:
    """Agreement beyond chance. Source: J. Cohen (1960), Educational and Psychological Measurement 20(1), 37-46."""
    right = accuracy(sums)
    if right is None:
        return None
    called, positive = sums[Sum.CALLS] / sums[Sum.N], sums[Sum.Y] / sums[Sum.N]
    chance = float(called * positive + (1 - called) * (1 - positive))
    return over(right - chance, 1 - chance)


def joint_skill(rows: Floats) -> float | None:
    """The skill of several outcomes together, from their sums of shape (outcomes, 17)."""
    spread = sum((variance(row) or 0.0) * float(row[Sum.N]) for row in rows)
    ratio = over(sum(squared(row) for row in rows), spread)
    return None if ratio is None else 1 - ratio


def other_class(sums: Floats) -> Floats:
    """The sums of calls with the negative class for the positive one, shape (..., 17); predictions are left out."""
    n, calls, positives, hits = (sums[..., item] for item in (Sum.N, Sum.CALLS, Sum.Y, Sum.HITS))
    other = np.zeros_like(sums)
    other[..., Sum.N], other[..., Sum.CALLS], other[..., Sum.Y] = n, n - calls, n - positives
    other[..., Sum.HITS] = n - calls - positives + hits
    return other


def one_against_rest(confusion: Floats, index: int) -> Floats:
    """The sums of one class from rows by predicted class and label, shape (..., classes, classes)."""
    sums = np.zeros((*confusion.shape[:-2], WIDTH))
    sums[..., Sum.N] = confusion.sum(axis=(-1, -2))
    sums[..., Sum.CALLS] = confusion[..., index, :].sum(axis=-1)
    sums[..., Sum.Y] = confusion[..., :, index].sum(axis=-1)
    sums[..., Sum.HITS] = confusion[..., index, index]
    return sums


CALLED: Mapping[str, Measure] = MappingProxyType(
    {
        "accuracy": accuracy,
        "error_rate": error_rate,
        "balanced_accuracy": balanced_accuracy,
        "precision": precision,
        "recall": recall,
        "specificity": specificity,
        "f1": f1,
        "mcc": mcc,
        "kappa": kappa,
    }
)
"""Those of calls, by the name that floors have for them."""

PREDICTED: Mapping[str, Measure] = MappingProxyType(
    {"brier": mse, "skill": skill, "mae": mae, "mse": mse, "rmse": rmse, "r2": skill}
)
"""Those of predictions themselves, by the name that floors have for them."""
