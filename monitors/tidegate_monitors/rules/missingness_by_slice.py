"""Values that are missing in one group of rows only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.rules import Evidence, rule
from tidegate_monitors.slices import Slices

_LEVEL = 1e-4
_ROWS_MINIMUM = 10
_FLOOR = 0.05
_FLOOR_WITH_GAPS = 0.2
_ALL = 0.95
_USUAL = 0.5

Floats = npt.NDArray[np.float64]


@rule
def missingness_by_slice(evidence: Evidence) -> Iterator[Alarm]:
    """A column's values are missing in one slice more often than in the other rows of the same batch.

    The score is the difference of the two missing shares. The threshold is the greatest difference of any slice of any
    block, and above it a twentieth, or more where the reference had gaps of its own, up to a fifth. As many gaps must
    also be no chance: the binomial tail of the slice's missing rows at the batch's missing share is below one in ten
    thousand over all slices and columns (Bonferroni). A column that several slicing columns tell apart is reported of
    the one with the greatest phi, the correlation of two yes-or-no questions. Critical where nearly all values of a
    slice are missing, though in every block of the reference at least half were there.

    Sources: G. U. Yule (1912), Journal of the Royal Statistical Society 75(6), 579-652, for phi; the binomial tail
    bounds the hypergeometric one that is exact here: W. Hoeffding (1963), Journal of the American Statistical
    Association 58(301), 13-30, section 6.
    """
    slices = evidence.current.slices
    watched = set(evidence.watched())
    tests = sum(len(item.cells) * (len(item.rows) - 2) for item in slices.values())
    best: dict[str, list[_Contrast]] = {}
    for by, item in slices.items():
        for column in item.cells:
            gaps = evidence.current.columns[column].missing if column in watched else 0
            found = _contrasts(evidence, by, item, column, tests) if 0 < gaps < evidence.current.rows else []
            if found and max(one.phi for one in found) > max((one.phi for one in best.get(column, ())), default=0.0):
                best[column] = found
    for found in best.values():
        for contrast in found:
            yield _alarm(evidence, contrast)


@dataclass(frozen=True, slots=True)
class _Contrast:
    """What is missing in a slice, against the rest of the batch.

    Attributes:
        column: Of which column.
        by: The slicing column.
        value: Its value.
        inside: The missing share in the slice.
        outside: The missing share in all other rows.
        phi: The correlation of being in the slice and being missing.
        threshold: By how much the shares may differ.
        usual: The greatest missing share of the slice in any block.
    """

    column: str
    by: str
    value: str
    inside: float
    outside: float
    phi: float
    threshold: float
    usual: float


def _contrasts(evidence: Evidence, by: str, item: Slices, column: str, tests: int) -> list[_Contrast]:
    """The slices of one slicing column in which more of a column is missing than can be."""
    from scipy.special import bdtrc

    profile = evidence.current.columns[column]
    rows = np.array(item.rows[:-2], dtype=np.float64)
    gaps = np.array([cells[-1] for cells in item.cells[column][:-2]], dtype=np.float64)
    gaps = np.maximum(gaps - profile.non_finite, 0)  # slices count what is infinite with what is missing
    inside, outside = _shares(gaps, rows, profile.missing, profile.rows)
    more = (rows >= _ROWS_MINIMUM) & (inside - outside > _FLOOR)
    if not more.any():
        return []
    share = profile.missing / profile.rows
    chance = np.where(gaps > 0, bdtrc(np.maximum(gaps - 1, 0), np.maximum(rows, 1).astype(np.int64), share), 1.0)
    likely = more & (chance * tests < _LEVEL)
    if not likely.any():
        return []
    usual, threshold = _usual(evidence, by, column)
    chosen = likely & (inside - outside > threshold)
    weight = rows / profile.rows
    phi = (inside - outside) * np.sqrt(weight * (1 - weight) / (share * (1 - share)))
    values = evidence.reference.layout.slices[by]
    return [
        _Contrast(column, by, values[k], inside[k], outside[k], phi[k], threshold, usual[k])
        for k in np.flatnonzero(chosen).tolist()
    ]


def _usual(evidence: Evidence, by: str, column: str) -> tuple[Floats, float]:
    """Each slice's greatest missing share in any block, shape (values,), and how far shares may differ."""
    gaps = evidence.reference.slice_cells(by, column)[:, :-2, -1]
    rows = evidence.reference.slice_rows(by)[:, :-2]
    total = evidence.reference.missing(column)
    inside, outside = _shares(gaps, rows, total[:, 1:], total.sum(axis=1, keepdims=True))
    most = float(np.where(rows >= _ROWS_MINIMUM, inside - outside, 0.0).max(initial=0.0))
    usual: Floats = inside.max(axis=0, initial=0.0)
    return usual, most + min(_FLOOR + 3 * most, _FLOOR_WITH_GAPS)


def _shares(
    gaps: npt.NDArray[np.generic], rows: npt.NDArray[np.generic], all_gaps: object, all_rows: object
) -> tuple[Floats, Floats]:
    """The missing shares in slices and in the rows outside each; 0 where there are no rows."""
    inside, size = np.asarray(gaps, dtype=np.float64), np.asarray(rows, dtype=np.float64)
    rest = np.asarray(all_rows, dtype=np.float64) - size
    others = np.maximum(np.asarray(all_gaps, dtype=np.float64) - inside, 0.0)
    return inside / np.maximum(size, 1.0), others / np.maximum(rest, 1.0)


def _alarm(evidence: Evidence, found: _Contrast) -> Alarm:
    default = Severity.CRITICAL if found.inside >= _ALL and found.usual < _USUAL else Severity.WARNING
    return Alarm(
        "missingness_by_slice",
        evidence.contract.severity_of("missingness_by_slice", default, found.column),
        f"column {found.column!r}: {found.inside:.1%} of the values are missing where {found.by} is {found.value!r}, "
        f"{found.outside:.1%} elsewhere; in the reference such shares differ by less",
        found.column,
        slice=f"{found.by}={found.value}",
        score=float(found.inside - found.outside),
        threshold=found.threshold,
    )
