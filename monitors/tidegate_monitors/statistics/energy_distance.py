"""Energy distance."""

from __future__ import annotations

import numpy as np

from tidegate_monitors.statistics import Array, Reads, shares, statistic


@statistic(reads=Reads.ORDERED, check="drift", symmetric=True, coarse=False, needs="positions")
def energy_distance(current: Array, reference: Array, positions: Array) -> Array:
    """The energy distance, in the root of the column's unit: sqrt(2 times the integral of (F - G)^2).

    It is the root of 2 E|X - Y| - E|X - X'| - E|Y - Y'|. On binned values, with a position inside each cell, it differs
    from the exact distance by at most sqrt(2 sum(p^2 width)) + sqrt(2 sum(q^2 width)).
    Source: G. J. Székely and M. L. Rizzo (2013), "Energy statistics: a class of statistics based on distances", Journal
    of Statistical Planning and Inference 143(8), 1249-1272.

    Args:
        current: Counts, shape (..., cells).
        reference: Counts of the same cells.
        positions: A value for each cell, ascending, shape (cells,).

    >>> round(float(energy_distance(np.array([0.0, 1.0]), np.array([1.0, 0.0]), np.array([10.0, 12.0]))), 6)
    2.0
    """
    gaps = np.cumsum(shares(current) - shares(reference), axis=-1)[..., :-1]
    # on a quarter of the positions the gap between the largest floats is still a number
    return np.asarray(np.sqrt(8.0) * np.sqrt((gaps**2 * np.diff(positions / 4)).sum(axis=-1)))
