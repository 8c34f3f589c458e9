"""Kolmogorov-Smirnov distance."""

from __future__ import annotations

import numpy as np

from tidegate_monitors.statistics import Array, Reads, shares, statistic


@statistic(reads=Reads.ORDERED, check="drift", symmetric=True, bound=1.0, coarse=False, reported=True)
def kolmogorov_smirnov(current: Array, reference: Array) -> Array:
    """The largest gap between the two distribution functions at the cells' edges, in [0, 1].

    On binned values it is at most the exact distance, and short of it by at most the largest share of either side in
    one bin. Source: N. V. Smirnov (1948), Annals of Mathematical Statistics 19(2), 279-281.

    >>> float(kolmogorov_smirnov(np.array([1.0, 1.0, 0.0]), np.array([0.0, 1.0, 1.0])))
    0.5
    """
    gap = np.cumsum(shares(current) - shares(reference), axis=-1)
    return np.asarray(np.minimum(np.abs(gap).max(axis=-1), 1.0))
