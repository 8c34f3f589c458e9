"""A block: one approved batch, in the form in which others are held against it."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate_contracts.batch import Window
from tidegate_monitors.cohort import Cohort
from tidegate_monitors.profile import Profile

Counts = npt.NDArray[np.int64]
_STEPS = 8


@dataclass(frozen=True)
class Block:
    """One approved batch. Its counts are made into arrays once, and thinned once a size.

    Attributes:
        batch: Its id.
        window: Its event times.
        profile: What is kept of it.
        cohort: What is kept of its predictions and labels; None where it came without labels.
    """

    batch: str
    window: Window | None
    profile: Profile
    cohort: Cohort | None = None

    @cached_property
    def counts(self) -> Mapping[str, Counts]:
        """By column the rows in each cell."""
        return MappingProxyType({name: _array(item.counts) for name, item in self.profile.columns.items()})

    @cached_property
    def buckets(self) -> Mapping[str, Counts]:
        """By column the rows in each bucket of values."""
        return MappingProxyType({name: _array(item.buckets) for name, item in self.profile.columns.items()})

    @cached_property
    def slices(self) -> Mapping[str, Mapping[str, Counts]]:
        """By slicing column, and by column, the rows of each slice in each broad cell, shape (values + 2, 9)."""
        return MappingProxyType(
            {
                by: MappingProxyType({name: _array(table) for name, table in item.cells.items()})
                for by, item in self.profile.slices.items()
            }
        )

    @cached_property
    def tables(self) -> Counts:
        """Rows by halves of each pair of columns, shape (pairs, 4)."""
        return _array(self.profile.joint.tables).reshape(-1, 4)

    @cached_property
    def leaves(self) -> Counts:
        """Rows by which columns are high, shape (leaves,)."""
        return _array(self.profile.joint.leaves)

    def thinned(self, what: str, counts: Callable[[Block], Counts], size: int) -> Counts:
        """Counts as if only so many rows had been drawn, without replacement; the same ones whenever asked.

        Args:
            what: The name of these counts, by which the draw is remembered.
            counts: Gives a block's counts, shape (..., cells).
            size: How many rows at most; see :func:`size_step`.
        """
        key = (what, size)
        if key not in self._thinned:
            seed = [zlib.crc32(text.encode("utf-8", "surrogatepass")) for text in (self.batch, what)]
            self._thinned[key] = thin(counts(self), size, np.random.default_rng([*seed, size]))
        return self._thinned[key]

    @cached_property
    def _thinned(self) -> dict[tuple[str, int], Counts]:
        return {}


def size_step(rows: int) -> int:
    """The next lower step of a scale of eight to the octave: few sizes to thin to, and at most 8 % of rows unused."""
    return int(2 ** (math.floor(math.log2(rows) * _STEPS) / _STEPS)) if rows > 0 else 0


def thin(counts: Counts, size: int, rng: np.random.Generator) -> Counts:
    """Counts, shape (..., cells), as if only ``size`` of each one's rows had been drawn, without replacement."""
    if counts.ndim > 1 and counts.shape[-1] <= _STEPS:
        return _thin_tables(counts, size, rng)
    flat = counts.reshape(-1, counts.shape[-1]).copy()
    for row in np.flatnonzero(flat.sum(axis=1) > size):
        flat[row] = rng.multivariate_hypergeometric(flat[row], size)
    return flat.reshape(counts.shape)


def _thin_tables(counts: Counts, size: int, rng: np.random.Generator) -> Counts:
    """The same for many small tables at once, a cell after the other."""
    found = np.empty_like(counts)
    rest = counts.sum(axis=-1)
    left = np.minimum(rest, size)
    for cell in range(counts.shape[-1]):
        rest = rest - counts[..., cell]
        found[..., cell] = rng.hypergeometric(counts[..., cell], rest, left)
        left = left - found[..., cell]
    return found


def _array(values: Any) -> Counts:
    return np.array(values, dtype=np.int64)
