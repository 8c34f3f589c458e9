"""Extreme values that come in a bunch."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.cells import BROAD_CELLS, Kind
from tidegate_monitors.reference import BLOCKS_MINIMUM
from tidegate_monitors.rules import Evidence, rule
from tidegate_monitors.rules.garbage_values import new_atom
from tidegate_monitors.statistics import statistics

Counts = npt.NDArray[np.int64]

_TAIL = 0.001
_SHARE = 0.025
_TIMES = 3.0
_REACH = 4.0
_BODY_TIMES = 2.0
_BODY_MINIMUM = 0.25
_MINORITY = 0.5
_ROWS_MINIMUM = 30
_CARRIED = 0.6
_TOO_MANY = 1.25
_OTHERS = 0.3
_NOISE_SDS = 3.0


@dataclass(frozen=True, slots=True)
class _Burst:
    """Rows beyond the tails.

    Attributes:
        low: Rows below.
        high: Rows above.
        share: Both, as a share of the rows with a value.
        threshold: The share above which it is a burst.
        usual: The largest share of any block.
    """

    low: int
    high: int
    share: float
    threshold: float
    usual: float


@rule
def outlier_burst(evidence: Evidence) -> Iterator[Alarm]:
    """Many more rows than in any block lie beyond the reference's tails, and the others lie where they always did.

    The tails are the cells below the .1 % and above the 99.9 % quantile of all blocks together; in a column whose drift
    is only information, what lies further out than four times the reference's width. The share of rows there must
    exceed .025, and three times the largest share of any block. All other rows must be the greater part, and lie no
    further from the blocks' (Hellinger distance on coarse cells) than .25, or twice what one block's lie from the
    others'. The score is the share beyond. A slice is named that has six tenths of those rows too many in its
    outermost broad cell, not more than all of them, and three standard deviations between blocks too many, if no other
    slice is off by three tenths of them: a season that moved many slices looks like that, too.
    """
    for column in evidence.watched():
        if evidence.reference.layout.cells[column].kind is not Kind.NUMERIC:
            continue
        burst = _burst(evidence, column)
        if burst is None or new_atom(evidence, column) is not None:
            continue
        name, share = _slice(evidence, column, burst) or (None, 0.0)
        yield Alarm(
            "outlier_burst",
            evidence.contract.severity_of("outlier_burst", Severity.WARNING, column),
            f"column {column!r}: {burst.low + burst.high} rows ({burst.share:.1%}) lie beyond the reference's tails, "
            f"{burst.low} below and {burst.high} above; of a block at most {burst.usual:.1%} did"
            + (f"; about {share:.0%} of them are in {name}" if name else ""),
            column,
            name,
            score=burst.share,
            threshold=burst.threshold,
        )


def _burst(evidence: Evidence, column: str) -> _Burst | None:
    current = np.array(evidence.current.columns[column].counts)
    total = int(current.sum())
    if total < _ROWS_MINIMUM:
        return None
    first, last = _tails(evidence, column)
    low, high = int(current[:first].sum()), int(current[last:].sum())
    share = (low + high) / total
    if not _SHARE < share < _MINORITY:
        return None
    blocks = evidence.reference.counts(column)
    told = blocks[blocks.sum(axis=1) >= _ROWS_MINIMUM]
    if len(told) < BLOCKS_MINIMUM:
        return None
    usual = float(((told[:, :first].sum(axis=1) + told[:, last:].sum(axis=1)) / told.sum(axis=1)).max())
    threshold = max(_SHARE, _TIMES * usual)
    if share <= threshold or not _body_is_usual(evidence, column, current, told, slice(first, last)):
        return None
    return _Burst(low, high, share, threshold, usual)


def _tails(evidence: Evidence, column: str) -> tuple[int, int]:
    """The first cell above the lower tail, and the first cell of the upper tail."""
    pooled, edges = evidence.reference.pooled.columns[column], evidence.reference.layout.cells[column].edges
    if evidence.contract.columns[column].drift == "info":
        if pooled.low is None or pooled.high is None:
            return 0, len(pooled.counts)
        reach = _REACH * (pooled.high - pooled.low)
        return bisect_right(edges, pooled.low - reach), bisect_left(edges, pooled.high + reach) + 1
    below = np.cumsum(pooled.counts) / max(sum(pooled.counts), 1)
    return int((below <= _TAIL).sum()), int((below < 1 - _TAIL).sum()) + 1


def _body_is_usual(evidence: Evidence, column: str, current: Counts, blocks: Counts, body: slice) -> bool:
    """Whether what does not lie beyond is as near to the blocks' as one block's is to the others'."""
    cells, distance = evidence.reference.layout.cells[column], statistics()["hellinger"].score
    masked = np.zeros((len(blocks) + 1, blocks.shape[1]))
    masked[:-1, body], masked[-1, body] = blocks[:, body], current[body]
    coarse = cells.coarsen(masked)
    whole = coarse[:-1].sum(axis=0)
    own = distance(coarse[:-1], whole - coarse[:-1])
    return float(distance(coarse[-1], whole)) <= max(_BODY_MINIMUM, _BODY_TIMES * float(own.max()))


def _slice(evidence: Evidence, column: str, burst: _Burst) -> tuple[str, float] | None:
    """The slice with most of the rows beyond, by what its outermost broad cell has too many, and its share of them."""
    cells, beyond = evidence.reference.layout.cells[column], max(burst.low, burst.high)
    side = 0 if burst.low > burst.high else max(len(cells.broad) - 1, 0)
    best: tuple[str, float] | None = None
    for by, item in evidence.current.slices.items():
        if column not in item.cells:
            continue
        now = np.array(item.cells[column])[None, :, :BROAD_CELLS]
        before = evidence.reference.slice_cells(by, column)[:, :, :BROAD_CELLS]
        usual = before[:, :, side].sum(axis=0) / np.maximum(before.sum(axis=(0, 2)), 1)
        surplus, wander = _surplus(now, usual, side, beyond)[0], _surplus(before, usual, side, 0)
        noise = _NOISE_SDS * np.sqrt(np.maximum((wander**2).mean(axis=0), 1.0))
        top = int(surplus.argmax())
        share, others = float(surplus[top] / beyond), float(np.abs(np.delete(surplus, top)).max() / beyond)
        values = evidence.reference.layout.slices[by]
        alone = _CARRIED <= share < _TOO_MANY and others <= _OTHERS and surplus[top] > noise[top]
        if alone and top < len(values) and (best is None or share > best[1]):
            best = f"{by}={values[top]}", share
    return (best[0], min(best[1], 1.0)) if best else None


def _surplus(tables: Counts, usual: npt.NDArray[np.float64], side: int, beyond: int) -> npt.NDArray[np.float64]:
    """Rows too many in one broad cell of each slice, for tables of shape (batches, slices, cells).

    What a slice usually has there is first scaled to what its batch has there, less the rows that lie beyond.
    """
    expected = usual * tables.sum(axis=2)
    whole = tables[:, :, side].sum(axis=1) - beyond
    factor = whole.clip(0) / np.maximum(expected.sum(axis=1), 1e-9)
    return np.asarray(tables[:, :, side] - expected * factor[:, None])
