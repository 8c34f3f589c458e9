"""Cramér-von Mises statistic of two samples."""

from __future__ import annotations

import numpy as np

from tidegate_monitors.statistics import Array, Reads, effective_rows, shares, statistic


@statistic(reads=Reads.ORDERED, check="drift", symmetric=True, coarse=False, noise=0.0)
def cramer_von_mises(current: Array, reference: Array) -> Array:
    """The Cramér-von Mises statistic T, at least 0: n m / (n + m) times the mean of (F - G)^2 over all rows of both.

    It grows with the number of rows; for independent rows without drift it is about 1/6. Rows of one cell are tied, and
    F and G are read at its upper end. On binned values the root of T differs from that of the exact T by at most
    sqrt(n m / (n + m) sum(h max(p, q)^2)), where h are the shares of both sides together.
    Source: T. W. Anderson (1962), "On the distribution of the two-sample Cramér-von Mises criterion", Annals of
    Mathematical Statistics 33(3), 1148-1159; for tied values V. Choulakian, R. A. Lockhart and M. A. Stephens (1994),
    Canadian Journal of Statistics 22(1), 125-137.

    >>> float(cramer_von_mises(np.array([2.0, 0.0]), np.array([0.0, 2.0])))
    0.5
    """
    gaps = np.cumsum(shares(current) - shares(reference), axis=-1)
    mean = (shares(current + reference) * gaps**2).sum(axis=-1)
    return np.asarray(effective_rows(current, reference) * mean)
