"""A slice that did not come."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.rules import Evidence, rule

_LEVEL = 1e-3
_BLOCKS_MINIMUM = 5
_NEARLY_EVERY = 0.95
_COLLAPSED = 0.25
_RENAMED = 0.5

Floats = npt.NDArray[np.float64]


@rule
def lost_segment(evidence: Evidence) -> Iterator[Alarm]:
    """A slice that nearly every block of the reference had is absent, or has less than a quarter of its least share.

    It counts only where the batch is large enough: so few rows must be unlikely both by chance, as the Poisson tail at
    the least share of any block, and by what blocks do among themselves, as the prediction interval of ln(rows + 1)
    scaled to the batch; each at one in a thousand over the slices of the column. A slice that merely shrank while
    others grew keeps at least the fewest rows that it ever had, and is not lost; nor are rows whose value is now
    missing or new. Where several slicing columns lost something, the one that lost most speaks. The score is the share
    of the rows that were to be expected and did not come; the threshold is 3/4. Critical where the slice is absent.

    Source of the interval: W. Q. Meeker, G. J. Hahn and L. A. Escobar (2017), "Statistical Intervals", section 4.8.
    """
    losses = [_losses(evidence, by) for by in evidence.current.slices if _told(evidence, by)]
    for lost in max(losses, key=lambda found: sum(item.expected for item in found), default=[]):
        default = Severity.WARNING if lost.rows else Severity.CRITICAL
        yield Alarm(
            "lost_segment",
            evidence.contract.severity_of("lost_segment", default, lost.by),
            f"column {lost.by!r}: {'only ' if lost.rows else ''}{lost.rows} rows where it is {lost.value!r}; by the "
            f"reference's batches about {lost.expected:.0f} were to be expected",
            lost.by,
            slice=f"{lost.by}={lost.value}",
            score=1 - lost.rows / lost.expected,
            threshold=1 - _COLLAPSED,
        )


@dataclass(frozen=True, slots=True)
class _Lost:
    """A slice of which too little came.

    Attributes:
        by: The slicing column.
        value: Its value.
        rows: How many rows came.
        expected: How many a batch of this size has, on average.
    """

    by: str
    value: str
    rows: int
    expected: float


def _told(evidence: Evidence, by: str) -> bool:
    """Whether slices can be told apart: not in a column that came empty, or with one value instead of many."""
    rows = np.array(evidence.current.slices[by].rows)
    usual = evidence.reference.slice_rows(by)[:, :-1]
    if len(usual) < _BLOCKS_MINIMUM or not rows[:-1].any():
        return False
    return bool(np.count_nonzero(rows[:-1]) > 1) or bool((usual > 0).sum(axis=1).min() == 1)


def _losses(evidence: Evidence, by: str) -> list[_Lost]:
    from scipy.special import pdtr, stdtrit

    rows, blocks = np.array(evidence.current.slices[by].rows), evidence.reference.slice_rows(by)
    total, sizes = int(rows.sum()), blocks.sum(axis=1, keepdims=True)
    blocks, sizes = blocks[sizes[:, 0] > 0], sizes[sizes[:, 0] > 0]
    if len(blocks) < _BLOCKS_MINIMUM:
        return []
    shares = blocks / sizes
    came, had, share = rows[:-2], blocks[:, :-2], shares[:, :-2]
    if not came.size:
        return []
    seen = had > 0
    least = np.where(seen.any(axis=0), np.where(seen, share, 1.0).min(axis=0), 0.0)
    if not (came < _COLLAPSED * least * total).any():
        return []
    expected = total * share.mean(axis=0)
    level = _LEVEL / came.size
    logs = np.log(np.where(seen, share, least) * total + 1)
    wide = stdtrit(len(blocks) - 1, 1 - level) * logs.std(axis=0, ddof=1) * math.sqrt(1 + 1 / len(blocks))
    lost = (
        (seen.mean(axis=0) >= _NEARLY_EVERY)
        & (came < _COLLAPSED * least * total)
        & (came < np.where(seen, had, np.inf).min(axis=0))
        & (pdtr(came, least * total) < level)
        & (np.log(came + 1) < logs.mean(axis=0) - wide)
    )
    elsewhere = float((rows[-2:] - total * shares[:, -2:].max(axis=0)).clip(0).sum())
    if elsewhere > _RENAMED * float(expected[lost].sum()):
        return []
    values = evidence.reference.layout.slices[by]
    return [_Lost(by, values[k], int(came[k]), float(expected[k])) for k in np.flatnonzero(lost).tolist()]
