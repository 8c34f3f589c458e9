"""Ratio of quantiles: a change of unit."""

from __future__ import annotations

import numpy as np

from tidegate_monitors.statistics import Array, Reads, statistic

_DECILES = range(1, 10)


@statistic(reads=Reads.ORDERED, check="unit_change", symmetric=True, signed=True, coarse=False, needs="positions")
def quantile_ratio(current: Array, reference: Array, positions: Array) -> Array:
    """Ln of the ratio of current to reference magnitudes: the median over the nine deciles of |x|, zeros left out.

    A unit that is k times smaller makes every decile k times larger, and this ln k: 0.48 for kilometres instead of
    miles, 4.6 for cents instead of euros, whatever the column's sign. A shift or a wider tail moves some deciles only.
    0 where a side has no value but zero. On binned values, with a position inside each cell and no cell on both sides
    of zero, each decile's ln is off by at most ln(upper / lower end) of its cell, on each side.
    Source: deciles as in R. J. Hyndman and Y. Fan (1996), "Sample quantiles in statistical packages", American
    Statistician 50(4), 361-365, definition 1.

    Args:
        current: Counts, shape (..., cells).
        reference: Counts of the same cells.
        positions: A value for each cell, ascending, shape (cells,).

    >>> float(np.exp(quantile_ratio(np.array([0.0, 5.0]), np.array([5.0, 0.0]), np.array([2.0, 200.0]))).round(9))
    100.0
    """
    order = np.argsort(np.abs(positions), kind="stable")
    order = order[positions[order] != 0]
    if not order.size:
        return np.zeros(np.broadcast_shapes(current.shape, reference.shape)[:-1])
    logs = np.log(np.abs(positions[order]))
    ratios = _deciles(current[..., order], logs) - _deciles(reference[..., order], logs)
    known = (current[..., order].sum(axis=-1) > 0) & (reference[..., order].sum(axis=-1) > 0)
    return np.where(known, np.median(ratios, axis=0), 0.0)


def _deciles(counts: Array, values: Array) -> Array:
    """The smallest value that at least a tenth, two tenths, … of the rows do not exceed; shape (9, ...)."""
    reached = np.cumsum(counts, axis=-1)
    # what is a decile but for rounding is one, whichever way the counts were added up
    tenth = reached[..., -1:] / 10 * (1 - 1e-12)
    places = [(reached < decile * tenth).sum(axis=-1) for decile in _DECILES]
    return np.asarray(values[np.minimum(places, values.size - 1)])
