"""Wasserstein distance, in the column's unit."""

from __future__ import annotations

import numpy as np

from tidegate_monitors.statistics import Array, Reads, shares, statistic


@statistic(reads=Reads.ORDERED, check="drift", symmetric=True, coarse=False, needs="positions")
def wasserstein(current: Array, reference: Array, positions: Array) -> Array:
    """How far the average row would have to move, in the column's unit: the integral of |F - G| over the positions.

    On binned values, with a position inside each cell, it differs from the exact distance by at most
    sum((p + q) width): no row was moved by more than the width of its cell.
    Source: S. S. Vallender (1974), "Calculation of the Wasserstein distance between probability distributions on the
    line", Theory of Probability and its Applications 18(4), 784-786.

    Args:
        current: Counts, shape (..., cells).
        reference: Counts of the same cells.
        positions: A value for each cell, ascending, shape (cells,).

    >>> float(wasserstein(np.array([1.0, 1.0]), np.array([2.0, 0.0]), np.array([10.0, 30.0])))
    10.0
    """
    with np.errstate(over="ignore"):
        distance = 4 * quarter_distance(current, reference, positions)
    return np.asarray(np.minimum(distance, np.finfo(np.float64).max))


def quarter_distance(current: Array, reference: Array, positions: Array) -> Array:
    """The distance on a quarter of the positions, where the gap between the largest floats is still a number."""
    gaps = np.abs(np.cumsum(shares(current) - shares(reference), axis=-1))[..., :-1]
    return np.asarray((gaps * np.diff(positions / 4)).sum(axis=-1))
