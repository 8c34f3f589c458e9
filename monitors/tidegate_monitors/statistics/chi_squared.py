"""Chi-squared statistic of homogeneity."""

from __future__ import annotations

import numpy as np

from tidegate_monitors.statistics import Array, Reads, effective_rows, shares, statistic


@statistic(reads=Reads.CELLS, check="drift", symmetric=True, noise=0.0)
def chi_squared(current: Array, reference: Array) -> Array:
    """Pearson's chi-squared of two samples, at least 0: the sum of (observed - expected)^2 / expected over both.

    It grows with the number of rows. For independent rows without drift it is about the number of cells that either has
    seen, less one. Real rows of one day are not independent, and it is then far larger: see
    :mod:`~tidegate_monitors.statistics.overdispersed_chi_squared`. Binning can only lower it.
    Source: K. Pearson (1911), "On the probability that two independent distributions of frequency are really samples
    from the same population", Biometrika 8(1-2), 250-254.

    >>> float(chi_squared(np.array([3.0, 1.0]), np.array([1.0, 3.0])))
    2.0
    """
    return np.asarray(effective_rows(current, reference) * distance_of_one_row(current, reference))


def distance_of_one_row(current: Array, reference: Array) -> Array:
    """Chi-squared for each effective row: the sum of (p - q)^2 / h, where h are the shares of both sides together."""
    gaps, pooled = shares(current) - shares(reference), shares(current + reference)
    return np.asarray(np.divide(gaps**2, pooled, out=np.zeros_like(gaps), where=pooled > 0).sum(axis=-1))
