"""The statistics: one file each, found by this registry.

A statistic is a pure function of counts. It reads the current and the reference counts of the same cells, shape
(..., cells), and gives scores of shape (...): 0 where there is no difference, larger where there is more. Adding one
is adding a file here with one function under :func:`statistic`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Score = Callable[[Array, Array], Array]


class Reads(StrEnum):
    """Which counts a statistic reads."""

    ORDERED = "ordered"  # cells with an order: bins of numbers
    CELLS = "cells"  # any cells: bins, categories, hours
    CATEGORIES = "categories"  # categories, the last cell being the unseen ones
    MISSING = "missing"  # two cells: present, missing
    ROWS = "rows"  # one cell: the number of rows


@dataclass(frozen=True, slots=True)
class Statistic:
    """A statistic and what is known of it.

    Attributes:
        name: Its public name.
        reads: Which counts it reads.
        check: The catalogue name under which it alarms.
        score: The function of current and reference counts.
        symmetric: Whether exchanging current and reference leaves the score alone.
        bound: The largest possible score.
        signed: Whether scores carry a direction (more or less than the reference); the size is then the score.
        family: Whether it takes part in the alarm on one batch by default.
        noise: The scale below which a score is sampling noise, as a power of 1/rows.
        coarse: Whether it reads coarse cells.
    """

    name: str
    reads: Reads
    check: str
    score: Score
    symmetric: bool
    bound: float
    signed: bool = False
    family: bool = False
    noise: float = 0.5
    coarse: bool = True

    def size(self, current: Array, reference: Array) -> Array:
        """The score without its direction: 0 = no difference, larger = more."""
        return np.abs(self.score(current, reference))


_REGISTRY: dict[str, Statistic] = {}


def statistic(
    *,
    reads: Reads,
    check: str,
    symmetric: bool,
    bound: float = np.inf,
    signed: bool = False,
    family: bool = False,
    noise: float = 0.5,
    coarse: bool = True,
) -> Callable[[Score], Score]:
    """Register the decorated function under its own name."""

    def register(score: Score) -> Score:
        name = score.__name__
        _REGISTRY[name] = Statistic(name, reads, check, score, symmetric, bound, signed, family, noise, coarse)
        return score

    return register


@cache
def statistics() -> Mapping[str, Statistic]:
    """All statistics by name, in alphabetical order."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return MappingProxyType(dict(sorted(_REGISTRY.items())))


def shares(counts: Array) -> Array:
    """Counts as shares of their total, shape (..., cells); all zero where the total is."""
    total = counts.sum(axis=-1, keepdims=True)
    found: Array = np.divide(counts, total, out=np.zeros(counts.shape), where=total > 0)
    return found


def regularised(current: Array, reference: Array) -> tuple[Array, Array]:
    """Both counts with one pseudo-row each, spread as the two together are.

    No cell that either has seen is then empty, so divergences stay finite, and a cell that neither has seen stays out.
    """
    pseudo = shares(current + reference)
    return current + pseudo, reference + pseudo
