"""The shape of a column, in the reference and in a batch: shares in few bins that can be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tidegate_monitors.cells import Cells, Kind
from tidegate_monitors.column_profile import ColumnProfile, missing_share
from tidegate_monitors.reference import Reference

_BINS = 36
_NAMES = 9
_STRETCH = 2.5
_ENDS = (0.005, 0.995)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shape:
    """Shares of a column's values, in the reference and now.

    Attributes:
        kind: Numbers, categories or hours.
        names: Of categories and hours; empty for numbers.
        edges: Of the bins of numbers; the first and last bin reach beyond what is drawn. Empty for others.
        reference: Shares of the present values, shape (bins,).
        current: Likewise.
        missing: The share of rows without a value, in the reference and now.
    """

    kind: Kind
    names: tuple[str, ...]
    edges: tuple[float, ...]
    reference: tuple[float, ...]
    current: tuple[float, ...]
    missing: tuple[float, float]


def shape_of(column: str, current: ColumnProfile, reference: Reference) -> Shape | None:
    """The shape of one column; None where it is not counted, or is empty on either side."""
    cells = reference.layout.cells.get(column)
    if cells is None or not cells.size or len(current.counts) != cells.size:
        return None
    before, now = reference.counts(column).sum(axis=0).astype(float), np.array(current.counts, dtype=float)
    if not before.sum() or not now.sum():
        return None
    before, now = before / before.sum(), now / now.sum()
    present, missing = reference.missing(column).sum(axis=0)
    gaps = (float(missing) / max(1.0, float(present + missing)), missing_share(current))
    if cells.kind is Kind.NUMERIC:
        return _numbers(cells, before, now, current, gaps)
    if cells.kind is Kind.HOUR:
        names = tuple(f"{hour:02}" for hour in range(24))
        return Shape(cells.kind, names, (), _tuple(before), _tuple(now), gaps)
    return _categories(cells, before, now, gaps)


def _numbers(
    cells: Cells, before: Floats, now: Floats, current: ColumnProfile, gaps: tuple[float, float]
) -> Shape | None:
    """Shares in bins of equal width between where nearly all values lie."""
    if len(cells.edges) < 2:
        return None
    known = np.array(cells.edges)
    reached = np.clip(known, current.low, current.high)  # the outer cells are wide, and the batch fills them in part
    low, high = _range(_ends(known, before), _ends(reached, now))
    edges = np.linspace(low, high, _BINS + 1)
    return Shape(cells.kind, (), _tuple(edges), _binned(known, before, edges), _binned(reached, now, edges), gaps)


def _ends(known: Floats, shares: Floats) -> tuple[float, float]:
    """Between what nearly all values lie."""
    places = np.minimum(np.searchsorted(np.cumsum(shares)[:-1], _ENDS), known.size - 1)
    return float(known[max(int(places[0]) - 1, 0)]), float(known[places[1]])


def _range(before: tuple[float, float], now: tuple[float, float]) -> tuple[float, float]:
    """What is drawn: the reference's range, and the batch's as far as it is not a multiple of that."""
    low, high = before
    wide = max(high - low, abs(high) * 1e-6, 1e-9)
    low = min(low, max(now[0], low - _STRETCH * wide))
    high = max(high, min(now[1], high + _STRETCH * wide))
    return (low, high) if high > low else (low - wide, high + wide)


def _binned(known: Floats, shares: Floats, edges: Floats) -> tuple[float, ...]:
    """Shares in other bins, as if values were spread evenly within their cells; the rest beyond either end."""
    rising = np.interp(edges, known, np.cumsum(shares)[:-1])
    inner = np.diff(rising)
    inner[0] += rising[0]
    inner[-1] += 1.0 - rising[-1]
    return _tuple(inner)


def _categories(cells: Cells, before: Floats, now: Floats, gaps: tuple[float, float]) -> Shape:
    """The commonest, and those that moved most; the rest together."""
    kept = len(cells.kept)
    weight = np.maximum(before[:kept], now[:kept]) + 4 * np.abs(before[:kept] - now[:kept])
    chosen = sorted(np.argsort(-weight, kind="stable")[:_NAMES].tolist(), key=lambda i: -max(before[i], now[i]))
    rest = [index for index in range(kept + 1) if index not in chosen]
    names = [cells.kept[index] for index in chosen]
    found = [[float(shares[index]) for index in chosen] for shares in (before, now)]
    for name, places in (("(others)", rest), ("(not in the reference)", [kept + 1])):
        sums = [float(shares[places].sum()) for shares in (before, now)]
        if any(sums):
            names.append(name)
            for side, value in zip(found, sums, strict=True):
                side.append(value)
    return Shape(cells.kind, tuple(names), (), tuple(found[0]), tuple(found[1]), gaps)


def _tuple(values: Sequence[float] | Floats) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
