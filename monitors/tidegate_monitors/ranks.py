"""Ranks, and what they say of two columns together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def average_ranks(values: Floats) -> Floats:
    """The ranks from 1, ties sharing their average; shape (n,), values finite or infinite, never NaN.

    >>> average_ranks(np.array([3.0, 1.0, 3.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    if not values.size:
        return np.zeros(0)
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    sizes = np.diff(np.append(first, values.size))
    ranks = np.empty(values.size)
    ranks[order] = np.repeat(first + (sizes + 1) / 2, sizes)
    return ranks


def coded_ranks(codes: Ints, levels: Floats) -> Floats:
    """The average ranks of ``levels[codes]`` without sorting rows; every code is 0 or more, levels may repeat.

    >>> coded_ranks(np.array([0, 1, 0]), np.array([3.0, 1.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    counts = np.bincount(codes, minlength=levels.size)
    order = np.argsort(levels, kind="stable")
    ordered = levels[order]
    tie = np.cumsum(np.append(0, (ordered[1:] != ordered[:-1]).astype(np.int64))) if levels.size else order
    sizes = np.bincount(tie, weights=counts[order])
    ranks = np.empty(levels.size)
    ranks[order] = (np.cumsum(sizes) - (sizes - 1) / 2)[tie]
    return ranks[codes]


def class_aucs(ranks: Floats, classes: Ints, count: int) -> tuple[Floats, Floats]:
    """For each class against the rest, the area under the ROC curve and the sizes of the classes.

    AUC = (R - n(n + 1)/2) / (n m): R the sum of the class's ranks, n its rows, m the others; ties count one half.
    Source: H. B. Mann and D. R. Whitney (1947), Annals of Mathematical Statistics 18(1), 50-60; as the area under
    the curve J. A. Hanley and B. J. McNeil (1982), Radiology 143(1), 29-36.

    Args:
        ranks: Average ranks, shape (n,).
        classes: The class of each row, 0 to ``count`` - 1, shape (n,).
        count: How many classes there are.

    Returns:
        AUCs in [0, 1], one half where a class or its rest is empty, and the rows of each class; shape (count,) each.
    """
    sizes = np.bincount(classes, minlength=count).astype(np.float64)
    sums = np.bincount(classes, weights=ranks, minlength=count)
    pairs = sizes * (classes.size - sizes)
    areas = np.divide(sums - sizes * (sizes + 1) / 2, pairs, out=np.full(count, 0.5), where=pairs > 0)
    return areas, sizes


def auc_deviates(areas: Floats, sizes: Floats, rows: int) -> Floats:
    """By how many standard errors of the null hypothesis each AUC differs from one half; 0 for an empty class.

    The standard error is sqrt((n + m + 1) / (12 n m)), that of Mann and Whitney without ties, and so is conservative.
    """
    pairs = sizes * (rows - sizes)
    error = np.sqrt(np.divide((rows + 1) / 12, pairs, out=np.full(sizes.shape, np.inf), where=pairs > 0))
    deviates: Floats = (areas - 0.5) / error
    return deviates


def spearman(left: Floats, right: Floats) -> float:
    """The correlation of average ranks, in [-1, 1]; 0 where either is constant.

    Source: C. Spearman (1904), American Journal of Psychology 15(1), 72-101.
    """
    return correlation(average_ranks(left), average_ranks(right))


def correlation(left: Floats, right: Floats) -> float:
    """Pearson's correlation, in [-1, 1]; 0 where either is constant.

    Source: K. Pearson (1895), Proceedings of the Royal Society of London 58, 240-242.
    """
    if left.size < 2:
        return 0.0
    a, b = left - left.mean(), right - right.mean()
    # sums of products: a threaded dot product waits for the other thread longer than it computes
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float(np.clip((a * b).sum() / scale, -1.0, 1.0)) if scale > 0 and np.isfinite(scale) else 0.0
