"""The buckets of predictions: between the deciles of the reference's own, so that they never move with a batch."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tidegate_monitors.cells import Kind
from tidegate_monitors.reference import Reference

DECILES = tuple(tenth / 10 for tenth in range(1, 10))


def deciles(reference: Reference | None, *columns: str) -> tuple[float, ...]:
    """The inner edges of the buckets: the deciles of some columns of the reference, all their values taken together.

    Values are taken to lie evenly within a cell, and cells hold at most 1/256 of the rows or one value, so that the
    rank of a decile is off by 1/256 at most.

    Args:
        reference: What batches are held against; None where there is none.
        columns: The column of predictions, or those of the probabilities of several classes.

    Returns:
        At most nine numbers, each greater than the one before; fewer where a single value holds a tenth of the rows,
        and none where there is no reference, or where it does not count a column as numbers.
    """
    if reference is None or not columns:
        return ()
    cells = {name: reference.layout.cells.get(name) for name in columns}
    if any(item is None or item.kind is not Kind.NUMERIC or not item.edges for item in cells.values()):
        return ()
    edges = np.unique(np.concatenate([item.edges for item in cells.values() if item is not None]))
    below = np.zeros(edges.size)
    total = 0.0
    for name, item in cells.items():
        counts = reference.counts(name).sum(axis=0)
        total += float(counts.sum())
        if item is not None:
            below += _below(edges, np.asarray(item.edges), counts)
    if not total:
        return ()
    return tuple(np.unique([_place(edges, below, share * total) for share in DECILES]).tolist())


def _below(
    points: npt.NDArray[np.float64], edges: npt.NDArray[np.float64], counts: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """How many of one column's values are at or below each of some points, none of which is below its first edge.

    Below the first edge and above the last lies nothing of the reference itself: the extremes are edges.
    """
    found: npt.NDArray[np.float64] = np.interp(points, edges, np.cumsum(counts[:-1]), left=0.0)
    return found


def _place(edges: npt.NDArray[np.float64], below: npt.NDArray[np.float64], wanted: float) -> float:
    """The number at or below which a wanted number of values lies."""
    upper = int(np.searchsorted(below, wanted - 1e-9, side="left"))
    if upper in (0, edges.size):
        return float(edges[min(upper, edges.size - 1)])
    low, high = edges[upper - 1], edges[upper]
    part = (wanted - below[upper - 1]) / (below[upper] - below[upper - 1])
    inside = low + min(max(part, 0.0), 1.0) * (high - low)
    return float(high if np.nextafter(low, high) >= high else inside)  # a cell of one value is that value
