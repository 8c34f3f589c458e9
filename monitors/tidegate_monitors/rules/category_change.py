"""Categories that nobody has seen before, and known ones that are gone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.cells import Kind
from tidegate_monitors.reference import BLOCKS_MINIMUM
from tidegate_monitors.rules import Evidence, rule

_WARNING = 0.01
_CRITICAL = 0.10
_RENAMED = 0.01
_ROWS_MINIMUM = 5
_EXPECTED_MINIMUM = 8.0
_SAME_SHARE = 0.75
_NAMED_MAXIMUM = 3


@rule
def category_change(evidence: Evidence) -> Iterator[Alarm]:
    """Categories appear that the reference never saw, known ones vanish, or both at once: a category was renamed.

    *Unseen*: more than 1 % of rows, and at least 5, are in unseen categories; critical above 10 %, both on top of twice
    the share that is expected of a reference with so many categories seen once (Good and Turing). *Vanished*: a
    category that every block had is in no row, though even its least share in any block lets expect 8; a warning.
    *Renamed*: both, and the unseen share lies between .75 of the least and 1/.75 of the largest share that the vanished
    ones together had in any block; critical above 1 %. The score is the unseen share; where nothing is unseen, the
    share that the vanished ones had in all blocks together.

    Without a row, a category of 8 expected ones would be a chance of exp(-8) = .0003 if rows were independent.
    """
    for column in evidence.watched():
        if evidence.reference.layout.cells[column].kind is not Kind.CATEGORY:
            continue
        counts = np.array(evidence.current.columns[column].counts)
        total = int(counts.sum())
        if not total:
            continue
        share = float(counts[-1] / total)
        vanished = _vanished(evidence, column, counts)
        past = _shares(evidence, column)[:, vanished].sum(axis=1)
        if counts[-1] >= _ROWS_MINIMUM and share > _WARNING + _expected(evidence, column):
            yield _appeared(evidence, column, share, vanished, renamed=bool(vanished) and _is_same(share, past))
        elif vanished:
            yield _gone(evidence, column, vanished)


def _expected(evidence: Evidence, column: str) -> float:
    """The share of rows in unseen categories that is nothing new."""
    return 2 * evidence.reference.layout.cells[column].novelty


def _appeared(evidence: Evidence, column: str, share: float, vanished: list[int], *, renamed: bool) -> Alarm:
    """Unseen categories, alone or in the place of others."""
    counts = evidence.current.columns[column].counts
    critical = _RENAMED if renamed else _CRITICAL + _expected(evidence, column)
    message = (
        f"column {column!r}: {counts[-1]} of {sum(counts)} rows ({share:.1%}) are in categories that the reference "
        f"never saw"
    )
    if vanished:
        gone = (
            f"{_names(evidence, column, vanished)}, which every block had, {'is' if len(vanished) == 1 else 'are'} gone"
        )
        message += f", and {gone}: renamed?" if renamed else f", and {gone}"
    default = Severity.CRITICAL if share > critical else Severity.WARNING
    return Alarm(
        "category_change",
        evidence.contract.severity_of("category_change", default, column),
        message,
        column,
        score=share,
        threshold=critical if share > critical else _WARNING,
    )


def _gone(evidence: Evidence, column: str, vanished: list[int]) -> Alarm:
    """Known categories that have no row, and nothing in their place."""
    pooled = evidence.reference.counts(column).sum(axis=0)
    share = float(pooled[vanished].sum() / pooled.sum())
    rows = sum(evidence.current.columns[column].counts)
    return Alarm(
        "category_change",
        evidence.contract.severity_of("category_change", Severity.WARNING, column),
        f"column {column!r}: no row of {rows} is in {_names(evidence, column, vanished)}, which every block of the "
        f"reference had ({share:.1%} of its rows)",
        column,
        score=share,
        threshold=min(share, _EXPECTED_MINIMUM / rows),
    )


def _vanished(evidence: Evidence, column: str, counts: npt.NDArray[np.int64]) -> list[int]:
    """The kept categories that every block had and that cannot be missing by chance; none in a constant column."""
    total = counts.sum()
    empty = np.flatnonzero(counts[:-2] == 0)
    if not empty.size or counts[:-1].max() == total:
        return []
    shares = _shares(evidence, column)
    if len(shares) < BLOCKS_MINIMUM:
        return []
    least = shares[:, empty].min(axis=0)
    return [int(cell) for cell in empty[least * total >= _EXPECTED_MINIMUM]]


def _shares(evidence: Evidence, column: str) -> npt.NDArray[np.float64]:
    """The share of each cell in each block that has a value at all, shape (blocks, cells)."""
    counts = evidence.reference.counts(column)
    sizes = counts.sum(axis=1, keepdims=True)
    told = sizes[:, 0] > 0
    return np.asarray(counts[told] / sizes[told])


def _is_same(share: float, past: npt.NDArray[np.float64]) -> bool:
    """Whether unseen categories hold as many rows as the vanished ones did, shares of shape (blocks,)."""
    return bool(_SAME_SHARE * past.min() <= share <= past.max() / _SAME_SHARE)


def _names(evidence: Evidence, column: str, cells: list[int]) -> str:
    """The first few of the categories, in words."""
    kept = evidence.reference.layout.cells[column].kept
    shown = [repr(kept[cell]) for cell in cells[:_NAMED_MAXIMUM]]
    rest = len(cells) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")
