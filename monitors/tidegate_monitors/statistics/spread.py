"""Change of spread, by normal scores of the reference's ranks."""

from __future__ import annotations

import numpy as np

from tidegate_monitors.statistics import Array, Reads, shares, statistic
from tidegate_monitors.statistics.location import normal_scores


@statistic(reads=Reads.ORDERED, check="drift", symmetric=False, signed=True, family=True)
def spread(current: Array, reference: Array) -> Array:
    """How much wider the current values lie than the reference, as ln of the ratio of standard deviations on scores.

    Above 0: wider. Below: narrower, at least -2: a batch that has collapsed to one cell. The deviation is taken about
    the batch's own mean, so that a mere shift is no spread.
    Source: the normal-scores test of scale, J. Klotz (1962), Annals of Mathematical Statistics 33(2), 498-512.

    >>> bool(spread(np.array([1.0, 0.0, 1.0]), np.array([1.0, 1.0, 1.0])) > 0)
    True
    """
    p, scores = shares(current), normal_scores(reference)
    mean = (p * scores).sum(axis=-1, keepdims=True)
    variance = (p * (scores - mean) ** 2).sum(axis=-1)
    known = (scores**2).sum(axis=-1) > 0
    return np.where(known, np.log(np.maximum(variance, np.exp(-4.0))) / 2, 0.0)
