"""Wasserstein distance, in standard deviations of the reference."""

from __future__ import annotations

import numpy as np

from tidegate_monitors.statistics import Array, Reads, shares, statistic
from tidegate_monitors.statistics.wasserstein import quarter_distance


@statistic(reads=Reads.ORDERED, check="drift", symmetric=False, coarse=False, needs="positions", reported=True)
def wasserstein_scaled(current: Array, reference: Array, positions: Array) -> Array:
    """The Wasserstein distance divided by the reference's standard deviation, both over the cells' positions.

    A shift by one standard deviation is 1, whatever the unit. Infinite where the reference has one value and current
    another; regularised counts have no such reference. On binned values the distance is off by at most
    sum((p + q) width), and the deviation by at most sqrt(sum(q width^2)), with a position inside each cell.
    Source: see :func:`~tidegate_monitors.statistics.wasserstein.wasserstein`.

    Args:
        current: Counts, shape (..., cells).
        reference: Counts of the same cells.
        positions: A value for each cell, ascending, shape (cells,).

    >>> float(wasserstein_scaled(np.array([0.0, 2.0]), np.array([1.0, 1.0]), np.array([10.0, 30.0])))
    1.0
    """
    distance = quarter_distance(current, reference, positions)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(distance == 0, 0.0, distance / _quarter_deviation(reference, positions))


def _quarter_deviation(reference: Array, positions: Array) -> Array:
    """The standard deviation on a quarter of the positions; squares are taken of shares of the largest deviation."""
    q, quarter = shares(reference), positions / 4
    deviations = np.where(q > 0, quarter - (q * quarter).sum(axis=-1, keepdims=True), 0.0)
    largest = np.abs(deviations).max(axis=-1, keepdims=True)
    relative = np.divide(deviations, largest, out=np.zeros_like(deviations), where=largest > 0)
    return np.asarray(largest[..., 0] * np.sqrt((q * relative**2).sum(axis=-1)))
