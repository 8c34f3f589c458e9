"""What the bias of a slice is held against: nothing, or the rest of its own batch where days move everybody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tidegate_monitors.bias_cells import BiasCells, Family, differences, squares
from tidegate_monitors.moderated import Moderated, moderated
from tidegate_monitors.tally import Sum

Floats = npt.NDArray[np.float64]

_PRIOR_ROWS = 50.0
_FEW_EVENTS = 20.0


@dataclass(frozen=True, eq=False)
class Effects:
    """By batch and cell, how far predictions lie from labels; every array has shape (batches, cells).

    Attributes:
        effect: The bias of all rows or of a bucket; for a slice its bias less that of the rest of the same batch, so
            that what a day does to everybody takes no part. 0 where nothing is known.
        weight: What it counts for: the rows, or for a contrast half the harmonic mean of both sides' rows; 0 where
            nothing is known.
        variance: What it would vary by if rows were independent; 0 where nothing is known.
    """

    effect: Floats
    weight: Floats
    variance: Floats

    @classmethod
    def of(cls, cells: BiasCells, spread: Floats, contrast: npt.NDArray[np.bool_]) -> Effects:
        """Of some batches.

        Args:
            cells: Their sums.
            spread: The variance of one row's difference in each cell and in what it is contrasted with; shape
                (2, cells), see :func:`row_variances`.
            contrast: Which cells are held against the rest of their own batch, shape (cells,).
        """
        n, m = cells.sums[..., Sum.N], cells.rest[..., Sum.N]
        known = (n > 0) & (~contrast | (m > 0))
        own = differences(cells.sums) / np.maximum(n, 1)
        other = np.where(contrast, differences(cells.rest) / np.maximum(m, 1), 0.0)
        weight = np.where(contrast, n * m / np.maximum(n + m, 1), n)
        variance = spread[0] / np.maximum(n, 1) + np.where(contrast, spread[1] / np.maximum(m, 1), 0.0)
        return cls(np.where(known, own - other, 0.0), np.where(known, weight, 0.0), np.where(known, variance, 0.0))

    def last(self, batches: int) -> Effects:
        """The last batches only."""
        return Effects(self.effect[-batches:], self.weight[-batches:], self.variance[-batches:])

    def parted(self, batches: int) -> tuple[Effects, ...]:
        """The last batches, and all before these; one part where there are no more."""
        if self.effect.shape[0] <= batches:
            return (self,)
        first = Effects(self.effect[:-batches], self.weight[:-batches], self.variance[:-batches])
        return first, self.last(batches)

    @property
    def batches(self) -> npt.NDArray[np.int64]:
        """In how many batches each cell has rows, shape (cells,)."""
        found: npt.NDArray[np.int64] = (self.weight > 0).sum(axis=0)
        return found

    def mean(self) -> Floats:
        """The weighted mean effect of each cell, shape (cells,); 0 where nothing is known."""
        found: Floats = (self.effect * self.weight).sum(axis=0) / self._total
        return found

    def variance_of_mean(self) -> Floats:
        """What that mean would vary by if rows were independent, shape (cells,)."""
        found: Floats = (self.weight**2 * self.variance).sum(axis=0) / self._total**2
        return found

    @property
    def _total(self) -> Floats:
        """The weight of each cell, 1 where nothing is known; shape (cells,)."""
        total: Floats = self.weight.sum(axis=0)
        return np.where(total > 0, total, 1.0)

    def dispersion(self) -> tuple[Floats, Floats]:
        """How many times more batches vary than independent rows would, and with how many degrees of freedom.

        The weighted squares around the mean over what they would be expected to be. Both of shape (cells,).
        Source: P. McCullagh, J. A. Nelder (1989), Generalized Linear Models, 2nd ed., section 4.5.
        """
        total = self._total
        share = self.weight / total
        left = self.effect - self.mean()
        squared = (self.weight * left**2).sum(axis=0)
        expected = (self.weight * self.variance * (1 - 2 * share)).sum(axis=0) + total * self.variance_of_mean()
        freedom = np.maximum(self.batches - 1.0, 0.0)
        known = (freedom > 0) & (expected > 0)
        return np.where(known, squared / np.where(known, expected, 1.0), 0.0), np.where(known, freedom, 0.0)


def contrasted(cells: BiasCells, spread: Floats) -> npt.NDArray[np.bool_]:
    """Which cells are held against the rest of their own batch, shape (cells,).

    Slices are where that makes their effects vary less, all slices taken together; else a contrast would only add what
    the rest varies by. Buckets of slices go with them.
    """
    families = np.array([key.family.value for key in cells.keys])
    nobody, sliced = np.zeros(families.size, dtype=bool), families == Family.SLICE.value
    if not sliced.any():
        return nobody
    alone, against = (Effects.of(cells, spread, choice) for choice in (nobody, sliced))
    return sliced | (families == Family.CROSSED.value) if _noise(against, sliced) < _noise(alone, sliced) else nobody


def _noise(effects: Effects, mine: npt.NDArray[np.bool_]) -> float:
    """How much the batches' effects vary around their means, rows counting, all cells together."""
    left = effects.effect - effects.mean()
    return float((effects.weight * left**2)[:, mine].sum() / max(effects.weight[:, mine].sum(), 1.0))


def row_variances(*parts: BiasCells, binary: bool) -> Floats:
    """The variance of one row's prediction less label in each cell, and in what it is contrasted with; (2, cells).

    A cell with few rows is drawn towards all rows, whose variance counts for 50 rows. With labels of 0 and 1, where all
    rows' variance adds up to less than 20, as if of fewer than 20 events, it is at least that of right predictions,
    p·(1 - p): a cell in which the few expected events have not come would else look certain.
    """
    both = [np.stack([part.sums.sum(axis=0), part.rest.sum(axis=0)]) for part in parts]
    sums: Floats = np.sum(both, axis=0)
    n, d, q = sums[..., Sum.N], differences(sums), squares(sums)
    inside = np.maximum(q - d**2 / np.maximum(n, 1), 0.0)
    common = inside[0, 0] / max(float(n[0, 0]), 1.0)
    found: Floats = (inside + _PRIOR_ROWS * common) / (n + _PRIOR_ROWS)
    if not binary:
        return found
    right = (sums[..., Sum.P] - sums[..., Sum.PP]) / np.maximum(n, 1)
    return np.where(n * found < _FEW_EVENTS, np.maximum(found, right), found)


def dispersions(cells: BiasCells, *parts: Effects) -> Moderated:
    """The dispersion of each cell over some runs of batches, moderated by the other cells of its family; at least 1."""
    found = [part.dispersion() for part in parts]
    freedom: Floats = np.sum([item[1] for item in found], axis=0)
    total: Floats = np.sum([item[0] * item[1] for item in found], axis=0)
    values = total / np.maximum(freedom, 1.0)
    families = np.array([key.family.value for key in cells.keys])
    for family in Family:
        mine = families == family.value
        if mine.any():
            drawn = moderated(values[mine], freedom[mine])
            values[mine], freedom[mine] = drawn.variances, drawn.freedom
    return Moderated(np.maximum(values, 1.0), freedom)
