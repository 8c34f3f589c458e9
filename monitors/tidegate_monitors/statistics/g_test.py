"""G statistic of homogeneity."""

from __future__ import annotations

import numpy as np

from tidegate_monitors.statistics import Array, Reads, shares, statistic
from tidegate_monitors.statistics.kullback_leibler import divergence


@statistic(reads=Reads.CELLS, check="drift", symmetric=True, noise=0.0)
def g_test(current: Array, reference: Array) -> Array:
    """The log-likelihood ratio G of two samples, at least 0: 2 sum(observed ln(observed / expected)) over both.

    It grows with the number of rows and reads like chi-squared, which it approaches for small differences. Binning can
    only lower it. Source: S. S. Wilks (1935), "The likelihood test of independence in contingency tables", Annals of
    Mathematical Statistics 6(4), 190-196.

    >>> round(float(g_test(np.array([2.0, 0.0]), np.array([0.0, 2.0]))), 6)
    5.545177
    """
    pooled = shares(current + reference)
    mine = current.sum(axis=-1) * divergence(shares(current), pooled)
    return np.asarray(2 * (mine + reference.sum(axis=-1) * divergence(shares(reference), pooled)))
