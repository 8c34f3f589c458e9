"""One value that suddenly holds many rows: a stand-in for missing values, a default filled in, or values cut off."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.cells import Cells, Kind
from tidegate_monitors.column_profile import BUCKETS
from tidegate_monitors.reference import BLOCKS_MINIMUM
from tidegate_monitors.rules import Evidence, rule

Shares = npt.NDArray[np.float64]

_SHARE = 0.03
_CRITICAL = 0.20
_OWN_SHARE = 0.25
_WANDER = 2.0
_NOISE_SDS = 4.0
_ALONE = 0.5
_ROWS_MINIMUM = 30
_ALL = 0.99
_REACH = 2.0
_DISTINCT_ERRORS = 0.13  # two standard errors of a column's registers
_BEYOND_MINIMUM = 5.0


@dataclass(frozen=True, slots=True)
class Atom:
    """One value that holds more rows than it, or any like it, ever did.

    Attributes:
        gain: The share of present rows by which it exceeds the block that had most, in [0, 1].
        threshold: The gain above which it is an atom.
        cell: The cell that gained with it.
        rows: Rows in that cell.
        far_out: Whether it lies further from all that the reference had than twice its width.
    """

    gain: float
    threshold: float
    cell: int
    rows: int
    far_out: bool = False


@rule
def garbage_values(evidence: Evidence) -> Iterator[Alarm]:
    """One value holds a share of rows that no block of the reference ever had; critical above 20 % of rows.

    Values are counted in 64 buckets by their hash, so that a value that fills many rows raises one bucket, and the cell
    that it lies in, while values that merely moved raise all buckets alike. (A known category that gains is drift, and
    an unseen one a change of categories.) The score is the share gained on the block
    that had most; see :func:`new_atom` for the threshold. Below or above all that the reference had the value is a
    placeholder; at the batch's own extreme, with nothing left of what the reference had beyond, values were cut off;
    anywhere else one was filled in. Of a column whose drift is only information it is told, unless it is far out.
    """
    for column in evidence.watched():
        atom = new_atom(evidence, column)
        if atom is None:
            continue
        present, cells = evidence.current.columns[column].present, evidence.reference.layout.cells[column]
        default = Severity.CRITICAL if atom.gain > _CRITICAL else Severity.WARNING
        if evidence.contract.columns[column].drift == "info" and not atom.far_out:
            default = Severity.INFO
        yield Alarm(
            "garbage_values",
            evidence.contract.severity_of("garbage_values", default, column),
            f"column {column!r}: one value {place(cells, atom.cell)} holds {atom.gain:.1%} more of rows than in any "
            f"block of the reference ({atom.rows} of {present} lie there): {_cause(evidence, column, atom)}",
            column,
            score=atom.gain,
            threshold=atom.threshold,
        )


def new_atom(evidence: Evidence, column: str) -> Atom | None:
    """The value that suddenly holds many rows; None where there is none, or where there is too little to tell.

    A value among those of the reference must gain more than .03 (or four standard errors of its bucket's largest share
    in so many rows, if that is more), plus a quarter of its bucket's largest share, plus twice the most that any
    block's bucket gained on all other blocks. All other buckets together must gain less than half of it, and one cell
    at least half of it. A value further from the reference than twice its width must gain .03, or the four errors;
    no more than half as many rows may lie on that side of the reference elsewhere, and half as many values be new.
    """
    cells, current = evidence.reference.layout.cells[column], evidence.current.columns[column]
    if cells.kind not in (Kind.NUMERIC, Kind.CATEGORY) or current.present < _ROWS_MINIMUM or not any(current.buckets):
        return None
    known = evidence.reference.buckets(column)
    sizes = known.sum(axis=1)
    if (sizes >= _ROWS_MINIMUM).sum() < BLOCKS_MINIMUM:
        return None
    told = np.flatnonzero(sizes >= _ROWS_MINIMUM)
    past, now = known[told] / sizes[told, None], np.array(current.buckets) / current.present
    if now.max() > _ALL:
        return None  # a constant has a rule of its own
    return _far_out(evidence, column, past, now) or _among(evidence, column, told, past, now)


def _among(evidence: Evidence, column: str, told: npt.NDArray[np.intp], past: Shares, now: Shares) -> Atom | None:
    """A value that gained, by its bucket and its cell."""
    cells, current = evidence.reference.layout.cells[column], evidence.current.columns[column]
    most = past.max(axis=0)
    gains = now - most
    bucket = int(gains.argmax())
    gain = float(gains[bucket])
    if gain <= _SHARE or gains.clip(0).sum() > (1 + _ALONE) * gain:
        return None
    usual = float(most[bucket])
    threshold = _least(usual, current.present) + _OWN_SHARE * usual + _WANDER * _wander(past)
    if gain <= threshold:
        return None
    fine = evidence.reference.counts(column)[told]
    risen = np.array(current.counts) / current.present - (fine / np.maximum(fine.sum(axis=1), 1)[:, None]).max(axis=0)
    cell = int(risen.argmax())
    known = cells.kind is Kind.CATEGORY and cell != cells.size - 2  # unseen, which is a change, or kept, which is drift
    return None if risen[cell] < _ALONE * gain or known else Atom(gain, threshold, cell, current.counts[cell])


def _far_out(evidence: Evidence, column: str, past: Shares, now: Shares) -> Atom | None:
    """A value far from all that the reference had, by its cell; some bucket must show it."""
    bounds, edges = _bounds(evidence, column), evidence.reference.layout.cells[column].edges
    current = evidence.current.columns[column]
    if bounds is None or not edges or current.low is None or current.high is None:
        return None
    low, high = bounds
    reach = _REACH * (high - low)
    if current.low > low - reach and current.high < high + reach:
        return None
    counts = np.array(current.counts)
    below, above = counts[: bisect_left(edges, low)], counts[bisect_left(edges, high) + 1 :]
    far_below, far_above = bisect_right(edges, low - reach), bisect_left(edges, high + reach) + 1
    cell = int(max((*range(far_below), *range(far_above, len(counts))), key=counts.__getitem__, default=0))
    rows, beside = int(counts[cell]), int((below if cell < far_below else above).sum())
    share, threshold = rows / current.present, _least(0.0, current.present)
    if share <= threshold or float((now - past.mean(axis=0)).max()) < _ALONE * share:
        return None
    known = _distinct(evidence, column)
    if beside > (1 + _ALONE) * rows or current.distinct - known * (1 + _DISTINCT_ERRORS) > _ALONE * rows:
        return None  # another unit, or outliers
    return Atom(share, threshold, cell, rows, far_out=True)


def _distinct(evidence: Evidence, column: str) -> int:
    """How many different values a block usually has."""
    return int(np.median([block.profile.columns[column].distinct for block in evidence.reference.blocks]))


def _least(usual: float, rows: int) -> float:
    """The least gain that counts, for a bucket's usual share and so many rows."""
    usual = max(usual, 1 / BUCKETS)
    return max(_SHARE, _NOISE_SDS * math.sqrt(usual * (1 - usual) / rows))


def place(cells: Cells, cell: int) -> str:
    """Where a cell lies, in words: by the reference's own edges, or the name of the category.

    >>> place(Cells(Kind.NUMERIC, edges=(1.0, 2.5)), 1)
    'between 1 and 2.5'
    """
    if cells.kind is Kind.CATEGORY:
        return f"({cells.kept[cell]!r})" if cell < len(cells.kept) else "(of the rare ones)"
    if not cells.edges:
        return "(of all)"
    if cell == 0:
        return f"below {cells.edges[0]:.6g}"
    if cell == len(cells.edges):
        return f"above {cells.edges[-1]:.6g}"
    low, high = cells.edges[cell - 1], cells.edges[cell]
    return f"at {high:.6g}" if math.nextafter(low, math.inf) == high else f"between {low:.6g} and {high:.6g}"


def _wander(past: Shares) -> float:
    """The largest gain of any bucket of any block on all other blocks."""
    first_two = np.partition(past, -2, axis=0)[-2:]
    return float((first_two[1] - first_two[0]).max())


def _bounds(evidence: Evidence, column: str) -> tuple[float, float] | None:
    """The least and the greatest value that the reference had."""
    pooled = evidence.reference.pooled.columns[column]
    return None if pooled.low is None or pooled.high is None else (pooled.low, pooled.high)


def _cause(evidence: Evidence, column: str, atom: Atom) -> str:
    """What it looks like."""
    cells, current = evidence.reference.layout.cells[column], evidence.current.columns[column]
    bounds = _bounds(evidence, column)
    if cells.kind is Kind.CATEGORY or bounds is None or not cells.edges:
        return "a default that was filled in?"
    if atom.cell < len(cells.edges) and cells.edges[atom.cell] < bounds[0]:
        return "below all that the reference had: a placeholder?"
    if atom.cell > 0 and cells.edges[atom.cell - 1] >= bounds[1]:
        return "above all that the reference had: a placeholder?"
    pooled = np.array(evidence.reference.pooled.columns[column].counts)
    usual = pooled / pooled.sum() * current.present
    counts = np.array(current.counts)
    for beyond in (slice(None, atom.cell), slice(atom.cell + 1, None)):
        if usual[beyond].sum() >= _BEYOND_MINIMUM and not counts[beyond].any():
            return "nothing lies beyond: values that were cut off?"
    return "a value that was filled in?"
