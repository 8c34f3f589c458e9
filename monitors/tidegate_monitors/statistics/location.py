"""Shift of location, by normal scores of the reference's ranks."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from tidegate_monitors.statistics import Array, Reads, shares, statistic


def normal_scores(reference: Array) -> Array:
    """The standardised normal score of each cell's mid-rank under the reference, shape (..., cells).

    Their mean over the reference is 0 and their variance 1; all zero where the reference has but one cell.
    Source: B. L. van der Waerden (1952), Indagationes Mathematicae 14, 453-458; mid-ranks as in E. L. Lehmann (1975),
    "Nonparametrics", section 1.4.
    """
    q = shares(reference)
    middle = np.cumsum(q, axis=-1) - q / 2
    scores = ndtri(np.clip(middle, 1e-12, 1 - 1e-12))
    centred = scores - (q * scores).sum(axis=-1, keepdims=True)
    sd = np.sqrt((q * centred**2).sum(axis=-1, keepdims=True))
    standard: Array = np.divide(centred, sd, out=np.zeros_like(centred), where=sd > 1e-9)
    return standard


@statistic(reads=Reads.ORDERED, check="drift", symmetric=False, signed=True, family=True)
def location(current: Array, reference: Array) -> Array:
    """By how many reference standard deviations the current values lie higher, on normal scores of ranks.

    For a normal column it is the shift of the mean in standard deviations; outliers cannot dominate it.
    Source: see :func:`normal_scores`.

    >>> round(float(location(np.array([0.0, 1.0, 2.0]), np.array([1.0, 1.0, 1.0]))), 3)
    0.816
    """
    return np.asarray((shares(current) * normal_scores(reference)).sum(axis=-1))
