"""Lag of the hours of day."""

from __future__ import annotations

import numpy as np

from tidegate_monitors.statistics import Array, Reads, shares, statistic

_LAGS = np.array([0, *(sign * lag for lag in range(1, 12) for sign in (1, -1)), 12])
_LAGGED_HOURS = (np.arange(24) + _LAGS[:, None]) % 24  # a line for each lag, shape (24, 24)


@statistic(reads=Reads.HOURS, check="timezone_shift", symmetric=True, bound=12.0, signed=True)
def circular_lag(current: Array, reference: Array) -> Array:
    """By how many hours the current day is late, -11 to 12: the lag that brings the two profiles closest.

    It is 0 where no lag is closer than none, and the smallest one where several are as close. On a flat day any lag is
    as good as another, so hold it against :func:`lag_and_gain`'s gain. Source: the matched filter, G. L. Turin (1960),
    IRE Transactions on Information Theory 6(3), 311-329, on roots of shares.

    >>> morning, noon = np.eye(24)[8], np.eye(24)[11]
    >>> float(circular_lag(noon, morning)), float(circular_lag(morning, noon))
    (3.0, -3.0)
    """
    return lag_and_gain(current, reference)[0]


def lag_and_gain(current: Array, reference: Array) -> tuple[Array, Array]:
    """The lag in hours, and by how much it lowers the Hellinger distance, in [0, 1]; both of shape (...).

    Args:
        current: Counts by hour, shape (..., 24).
        reference: Counts of the same hours.
    """
    p, q = np.sqrt(shares(current)), np.sqrt(shares(reference))
    distances = np.sqrt(((p[..., _LAGGED_HOURS] - q[..., None, :]) ** 2).sum(axis=-1) / 2)
    # the first of the closest is the smallest lag; what rounding alone tells apart is as close
    best = (distances <= distances.min(axis=-1, keepdims=True) + 1e-9).argmax(axis=-1)
    gain = distances[..., 0] - np.take_along_axis(distances, best[..., None], axis=-1)[..., 0]
    return _LAGS[best].astype(np.float64), np.asarray(np.maximum(gain, 0.0))
