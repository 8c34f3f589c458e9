"""Total variation distance."""

from __future__ import annotations

import numpy as np

from tidegate_monitors.statistics import Array, Reads, shares, statistic


@statistic(reads=Reads.CELLS, check="drift", symmetric=True, bound=1.0)
def total_variation(current: Array, reference: Array) -> Array:
    """The total variation distance, in [0, 1]: sum(|p - q|) / 2, the share of rows that would have to change cells.

    Binning can only lower it. Source: A. B. Tsybakov (2009), "Introduction to Nonparametric Estimation", section 2.4.

    >>> float(total_variation(np.array([3.0, 1.0]), np.array([1.0, 1.0])))
    0.25
    """
    return np.asarray(np.minimum(np.abs(shares(current) - shares(reference)).sum(axis=-1) / 2, 1.0))
