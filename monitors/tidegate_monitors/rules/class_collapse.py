"""A model that says the same of every row."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from math import nextafter, sqrt
from typing import Any

from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.cells import Cells, Kind
from tidegate_monitors.profile import ColumnProfile
from tidegate_monitors.rules import Evidence, rule

ROWS_MINIMUM = 10
_COLLAPSED = 0.99
_NORMAL = 0.9
_FLAT = 0.05
_ERRORS = 4.0


@rule
def class_collapse(evidence: Evidence) -> Iterator[Alarm]:
    """The model has stopped telling rows apart: the first of these that holds, and held of no block of the reference.

    *Same*: nearly all predictions fall into one cell; the score is its share, the threshold .99, and every block lies
    below .9. *Flat*: the standard deviation of numbers is less than a twentieth of that of any block; the score is
    theirs over its own, the threshold 20. *One class*: a predicted class has a larger share of rows than the contract's
    ``classes`` allow it, by four standard errors or more, while no block broke that bound; the score is the share.
    """
    column = evidence.contract.prediction
    if column is None or column not in evidence.current.columns:
        return
    current = evidence.current.columns[column]
    blocks = [block.profile.columns[column] for block in evidence.reference.blocks]
    if current.present < ROWS_MINIMUM or not blocks:
        return
    cells = evidence.reference.layout.cells[column]
    found = _same(current, blocks) or _flat(current, blocks) or _one_class(current, blocks, cells, evidence)
    if found is not None:
        score, threshold, words = found
        severity = evidence.contract.severity_of("class_collapse", Severity.CRITICAL, column)
        yield Alarm("class_collapse", severity, f"column {column!r}: {words}", column, score=score, threshold=threshold)


_Found = tuple[float, float, str] | None
"""A score, its threshold, and what is said of them."""


def _same(current: ColumnProfile, blocks: list[ColumnProfile]) -> _Found:
    share, usual = largest_share(current), max(map(largest_share, blocks))
    if share <= _COLLAPSED or usual >= _NORMAL:
        return None
    return share, _COLLAPSED, f"{share:.1%} of predictions are the same; in the reference at most {usual:.1%}"


def _flat(current: ColumnProfile, blocks: list[ColumnProfile]) -> _Found:
    known = [block.moments.sd for block in blocks if block.moments.n >= ROWS_MINIMUM]
    usual, spread = min(known, default=0.0), current.moments.sd
    if current.moments.n < ROWS_MINIMUM or usual <= 0 or spread >= _FLAT * usual:
        return None
    words = f"predictions hardly vary: their standard deviation is {spread:.3g}; in the reference at least {usual:.3g}"
    return usual / max(spread, usual * 1e-9), 1 / _FLAT, words


def _one_class(current: ColumnProfile, blocks: list[ColumnProfile], cells: Cells, evidence: Evidence) -> _Found:
    classes = evidence.contract.classes
    for name, (_, most) in classes.items() if isinstance(classes, Mapping) else ():
        share = class_share(current, cells, name)
        before = [class_share(block, cells, name) for block in blocks]
        usual = max((item for item in before if item is not None), default=1.0)
        if share is None or usual > most:
            continue
        threshold = most + _ERRORS * sqrt(most * (1 - most) / current.present)
        if share > min(threshold, _COLLAPSED):
            words = (
                f"{share:.1%} of predictions are the class {name!r}, of which the contract allows {most:.1%}; "
                f"in the reference at most {usual:.1%}"
            )
            return share, min(threshold, _COLLAPSED), words
    return None


def class_share(column: ColumnProfile, cells: Cells, name: Any) -> float | None:
    """The share of present rows that are of one class, in [0, 1]; None where no cell holds that class alone."""
    total = sum(column.counts)
    place = _place(cells, name)
    return column.counts[place] / total if place is not None and total else None


def _place(cells: Cells, name: Any) -> int | None:
    if cells.kind is Kind.CATEGORY:
        return cells.kept.index(str(name)) if str(name) in cells.kept else None
    if cells.kind is not Kind.NUMERIC or not isinstance(name, int | float):
        return None
    place = bisect_left(cells.edges, name)
    alone = 0 < place < len(cells.edges) and cells.edges[place] == name
    return place if alone and cells.edges[place - 1] == nextafter(name, -float("inf")) else None


def largest_share(column: ColumnProfile) -> float:
    """The share of present rows in the fullest cell, in [0, 1]; 1 where all values are equal."""
    if column.low is not None and column.low == column.high:
        return 1.0
    total = sum(column.counts)
    return max(column.counts) / total if total else 0.0
