"""The cells in which prediction bias is looked at: all rows, each bucket, each slice, and each bucket of each slice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from tidegate_monitors.cohort import Cohort
from tidegate_monitors.tally import Sum, stack

Floats = npt.NDArray[np.float64]


class Family(StrEnum):
    """Cells of one kind, whose variances are alike enough to be pooled."""

    OVERALL = "overall"
    BUCKET = "bucket"
    SLICE = "slice"
    CROSSED = "crossed"


@dataclass(frozen=True, slots=True)
class Key:
    """Which rows a cell holds.

    Attributes:
        slice: ``column=value``; None for all.
        bucket: The bucket of predictions, from 0; None for all.
    """

    slice: str | None
    bucket: int | None

    @property
    def family(self) -> Family:
        """Its kind."""
        if self.slice is None:
            return Family.OVERALL if self.bucket is None else Family.BUCKET
        return Family.SLICE if self.bucket is None else Family.CROSSED


@dataclass(frozen=True, eq=False)
class BiasCells:
    """The sums of some cohorts in all cells.

    Attributes:
        keys: The cells: all rows, the buckets, the slices, the buckets of each slice.
        sums: Shape (cohorts, cells, 17), see :class:`~tidegate_monitors.tally.Sum`.
        rest: The sums of the rows that a cell is contrasted with: for a slice all other slices, for a bucket of a slice
            the same bucket of all others; zero for cells that are not contrasted. Same shape.
    """

    keys: tuple[Key, ...]
    sums: Floats
    rest: Floats

    @classmethod
    def of(cls, cohorts: Sequence[Cohort], outcome: str, names: Sequence[str] | None = None) -> BiasCells:
        """The cells of one outcome.

        Args:
            cohorts: In the order of their windows; all of the same buckets.
            outcome: Which tally of theirs.
            names: The slices to have; None for all that occur.
        """
        found, table = stack([cohort.tallies[outcome] for cohort in cohorts])
        if names is not None:
            place = {name: index + 1 for index, name in enumerate(found)}
            nothing = np.zeros((table.shape[0], 1, *table.shape[2:]))
            parts = [table[:, [place[name]]] if name in place else nothing for name in names]
            table = np.concatenate([table[:, :1], *parts], axis=1)
            found = tuple(names)
        whole = table.sum(axis=2)
        buckets = table.shape[2] if table.shape[2] > 1 else 0
        crossed = table[:, 1:] if buckets else table[:, 1:, :0]
        keys = (
            Key(None, None),
            *(Key(None, bucket) for bucket in range(buckets)),
            *(Key(name, None) for name in found),
            *(Key(name, bucket) for name in found for bucket in range(buckets)),
        )
        cohorts_ = table.shape[0]
        width = table.shape[-1]
        blank = np.zeros((cohorts_, 1 + buckets, width))
        own = [whole[:, :1], table[:, 0, :buckets], whole[:, 1:], crossed.reshape(cohorts_, -1, width)]
        others = table[:, :1, :buckets] - crossed
        rest = [blank, whole[:, :1] - whole[:, 1:], others.reshape(cohorts_, -1, width)]
        return cls(keys, np.concatenate(own, axis=1), np.concatenate(rest, axis=1))

    @property
    def names(self) -> tuple[str, ...]:
        """The slices."""
        return tuple(key.slice for key in self.keys if key.family is Family.SLICE and key.slice is not None)

    def last(self, cohorts: int) -> BiasCells:
        """The last ones only."""
        return BiasCells(self.keys, self.sums[-cohorts:], self.rest[-cohorts:])

    def total(self, field: Sum) -> Floats:
        """A sum over all cohorts, shape (cells,)."""
        found: Floats = self.sums[:, :, field].sum(axis=0)
        return found


def differences(sums: Floats) -> Floats:
    """Predictions less labels, of sums of shape (..., 17)."""
    found: Floats = sums[..., Sum.DIFFERENCE]
    return found


def squares(sums: Floats) -> Floats:
    """Squared differences of prediction and label, of sums of shape (..., 17)."""
    found: Floats = sums[..., Sum.SQUARED]
    return found
