"""Anderson-Darling statistic of two samples."""

from __future__ import annotations

import numpy as np

from tidegate_monitors.statistics import Array, Reads, effective_rows, shares, statistic


@statistic(reads=Reads.ORDERED, check="drift", symmetric=True, coarse=False, noise=0.0)
def anderson_darling(current: Array, reference: Array) -> Array:
    """The Anderson-Darling statistic A2 of two samples in its mid-rank form, at least 0; it is not standardised.

    (N - 1) / N times n m / N times sum(h d^2 / (b (1 - b) - h / 4)): h are the shares of both sides together, b their
    distribution function and d the gap between the two sides' functions, each at the middle of the cell. The tails
    weigh more than in Cramér and von Mises' statistic. It grows with the number of rows; for independent rows without
    drift it is about 1.
    Source: F. W. Scholz and M. A. Stephens (1987), "K-sample Anderson-Darling tests", Journal of the American
    Statistical Association 82(399), 918-924, equation 7.

    >>> round(float(anderson_darling(np.array([2.0, 0.0]), np.array([0.0, 2.0]))), 6)
    3.0
    """
    difference, pooled = shares(current) - shares(reference), shares(current + reference)
    gaps = np.cumsum(difference, axis=-1) - difference / 2
    below = np.cumsum(pooled, axis=-1) - pooled / 2
    room = below * (1 - below) - pooled / 4
    # at least h (1 - h) / 4 by definition: less is rounding, and means that one cell has everything
    terms = np.divide(pooled * gaps**2, room, out=np.zeros_like(room), where=(pooled > 0) & (room > 1e-15))
    rows = (current + reference).sum(axis=-1)
    less_one = np.divide(rows - 1, rows, out=np.zeros_like(rows), where=rows > 1)
    return np.asarray(less_one * effective_rows(current, reference) * terms.sum(axis=-1))
