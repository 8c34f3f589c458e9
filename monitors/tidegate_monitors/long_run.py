"""The long-run variance of a column's scores: what their sum over many batches does, not one batch alone.

Blocks that follow one another are alike, so that the mean of a week wanders further than independent blocks would let
it. Only the reference's own weeks tell how far; the number of rows does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

WEEK = 7
MONTH = 28  # whole weeks, so that weekdays cancel
QUARTER = 92
WEEKS_MINIMUM = 8
_PRIOR = 12.0  # degrees of freedom that a column borrows from all columns together
_CORRELATION_MAXIMUM = 0.9


def calendar(days: Sequence[date | None]) -> Ints:
    """The day number of each block; their place in the order where any day is unknown or they are out of order."""
    known = [day.toordinal() for day in days if day is not None]
    if len(known) == len(days) and known == sorted(known):
        return np.array(known, dtype=np.int64)
    return np.arange(len(days), dtype=np.int64)


def long_run_sds(scores: Sequence[Floats], days: Sequence[Ints]) -> Floats:
    """The long-run standard deviation of each column's scores, never below 1, shape (columns,).

    From the means of weeks, and of months once the reference is longer than a quarter (the larger of both). A few
    weeks say little, so every column's variance is drawn towards the mean of all columns, as if by twelve more degrees
    of freedom. With fewer than eight weeks the correlation of neighbouring blocks speaks too, for all columns together,
    and no column is trusted to be steadier than the others.

    Args:
        scores: Of each column's blocks in time order, about standardised.
        days: The day number of each of those blocks.
    """
    if not scores:
        return np.zeros(0)
    found = [_windows(z, day) for z, day in zip(scores, days, strict=True)]
    variances, freedom = (np.array(part) for part in zip(*found, strict=True))
    pooled = max(1.0, float(variances[freedom > 0].mean()) if (freedom > 0).any() else 1.0)
    few = min(_span(day) for day in days) < WEEK * WEEKS_MINIMUM
    if few:
        pooled = max(pooled, _from_neighbours(scores))
    drawn = (_PRIOR * pooled + freedom * variances) / (_PRIOR + freedom)
    sds: Floats = np.sqrt(np.maximum(drawn, pooled if few else 1.0))
    return sds


def _span(days: Ints) -> int:
    return int(days[-1] - days[0]) + 1


def _windows(scores: Floats, days: Ints) -> tuple[float, float]:
    """The variance by windows of a week or of a month, whichever is larger, and its degrees of freedom."""
    week = _by_window(scores, days, WEEK)
    return max(week, _by_window(scores, days, MONTH)) if _span(days) > QUARTER else week


def _by_window(scores: Floats, days: Ints, length: int) -> tuple[float, float]:
    """The long-run variance by overlapping windows of so many days, and its degrees of freedom; 0, 0 for too few.

    The mean is the reference's own, which takes a window's share from the variance; and a window misses what reaches
    over its edge, a part that shrinks as 1/length and is put back from the variance of single blocks.
    Source: M. S. Meketon and B. Schmeiser (1984), "Overlapping batch means", Winter Simulation Conference, 226-230.
    """
    starts = np.arange(days[0], days[-1] - length + 2)
    left, right = np.searchsorted(days, starts), np.searchsorted(days, starts + length)
    blocks = right - left
    if _span(days) < 2 * length or not (blocks > 0).any():
        return 0.0, 0.0
    sums = np.append(0.0, np.cumsum(scores - scores.mean()))
    squares = (sums[right] - sums[left])[blocks > 0] ** 2 / blocks[blocks > 0]
    share = float(blocks.mean()) / scores.size
    variance = float(squares.mean()) / (1 - share)
    edge = (variance - float(scores.var())) / max(float(blocks.mean()) - 1, 1.0)
    return max(variance + edge, 0.0), 1.5 * (1 / share - 1)


def _from_neighbours(scores: Sequence[Floats]) -> float:
    """The long-run variance if all columns were autoregressive with one common correlation of neighbours.

    The correlation is mended for the mean being the blocks' own.
    Source: M. G. Kendall (1954), Biometrika 41(3/4), 403-404.
    """
    found = []
    for column in scores:
        centred = column - column.mean()
        squares = float((centred**2).sum())
        plain = float((centred[1:] * centred[:-1]).sum()) / squares if squares > 0 else 0.0
        found.append(plain + (1 + 3 * plain) / column.size)
    correlation = float(np.clip(np.mean(found), 0.0, _CORRELATION_MAXIMUM))
    return (1 + correlation) / (1 - correlation)
