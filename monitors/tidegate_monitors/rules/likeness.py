"""What a column looked like in the blocks of a reference, so that another can be held against it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tidegate_monitors.cells import Kind
from tidegate_monitors.column_profile import ColumnProfile
from tidegate_monitors.reference import Reference

ROWS_MINIMUM = 30
BLOCKS_MINIMUM = 5
_SCORES_LEAST = 3.0
_DISTANCE_LEAST = 0.05

Floats = npt.NDArray[np.float64]


def block_looks(reference: Reference, column: str) -> Floats:
    """The looks of a column of numbers in each block that has enough values, shape (blocks, 6); see :func:`looks`."""

    def made() -> Floats:
        columns = (block.profile.columns[column] for block in reference.blocks)
        return np.array([looks(item) for item in columns if item.moments.n >= ROWS_MINIMUM]).reshape(-1, 6)

    found: Floats = reference.remembered(("looks", column), made)
    return found


def looks(column: ColumnProfile) -> tuple[float, ...]:
    """A column of numbers in six: mean, ln sd, mean and ln sd of ln|x|, the shares of zeros and of gaps."""
    plain, logs = column.moments, column.log_moments
    width, log_width = (math.log(max(item.sd, 1e-9)) for item in (plain, logs))
    shares = column.zeros / max(column.present, 1), column.missing / max(column.rows, 1)
    return plain.mean, width, logs.mean, log_width, *shares


@dataclass(frozen=True, slots=True)
class Likeness:
    """How far others are from what one column was, in the greatest distance of that column's own blocks.

    Attributes:
        pooled: The shares of the hours of times, and of the hashes' buckets of others, over all blocks.
        usual: The greatest total variation distance of a block from them, in [0, 1].
        middle: The median looks of a column of numbers, shape (6,); empty for others.
        spread: Standard deviations of looks between blocks, shape (6,).
        looks_usual: The greatest distance of a block from the median, in standard deviations.
    """

    pooled: Floats
    usual: float
    middle: Floats
    spread: Floats
    looks_usual: float

    @classmethod
    def of(cls, reference: Reference, column: str) -> Likeness:
        """Of one column of a reference; computed once."""
        found: Likeness = reference.remembered(("likeness", column), lambda: cls._of(reference, column))
        return found

    @classmethod
    def _of(cls, reference: Reference, column: str) -> Likeness:
        kind = reference.layout.cells[column].kind
        stacked = reference.counts(column) if kind is Kind.HOUR else reference.buckets(column)
        counts = stacked[stacked.any(axis=1)].astype(np.float64)
        pooled = _shares(counts.sum(axis=0))
        usual = max(float(_distances(_shares(counts), pooled).max(initial=0.0)), _DISTANCE_LEAST)
        looked = block_looks(reference, column) if kind is Kind.NUMERIC else np.zeros((0, 6))
        if len(looked) < BLOCKS_MINIMUM:
            return cls(pooled, usual, np.zeros(0), np.zeros(0), math.inf if kind is Kind.NUMERIC else 0.0)
        middle = np.median(looked, axis=0)
        least = [0.05 * math.exp(middle[1]), 0.1, 0.05 * math.exp(middle[3]), 0.1, 0.02, 0.02]
        spread = np.maximum(looked.std(axis=0), least)
        scores = float(np.abs((looked - middle) / spread).max())
        return cls(pooled, usual, middle, spread, max(scores, _SCORES_LEAST))

    def values(self, column: ColumnProfile) -> float:
        """How far the hours, or the hashes of values, of some column are."""
        counts = np.array(column.buckets or column.counts, dtype=np.float64)
        return float(_distances(_shares(counts), self.pooled)) / self.usual

    def far(self, column: ColumnProfile) -> float:
        """How far some column is in anything; infinite from a column of numbers that has no usual looks."""
        if not self.middle.size:
            return math.inf if self.looks_usual else self.values(column)
        scores = np.abs((np.array(looks(column)) - self.middle) / self.spread)
        return max(self.values(column), float(scores.max()) / self.looks_usual)


def _shares(counts: Floats) -> Floats:
    shares: Floats = counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1.0)
    return shares


def _distances(shares: Floats, pooled: Floats) -> Floats:
    """Half the sum of absolute differences: the total variation distance, in [0, 1]."""
    distances: Floats = np.abs(shares - pooled).sum(axis=-1) / 2
    return distances
