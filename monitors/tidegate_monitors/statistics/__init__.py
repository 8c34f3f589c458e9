"""The statistics: one file each, found by this registry.

A statistic is a pure function of counts. It reads the current and the reference counts of the same cells, shape
(..., cells), and gives scores of shape (...): 0 where there is no difference, larger where there is more. Adding one
is adding a file here with one function under :func:`statistic`, or in another package an entry point of the group
``tidegate.statistics`` that loads such a function, or a module of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt

from tidegate_contracts.errors import MonitorError

GROUP = "tidegate.statistics"

Array = npt.NDArray[np.float64]
Score = Callable[..., Array]
Needs = Literal["positions", "blocks"]


class Reads(StrEnum):
    """Which counts a statistic reads."""

    ORDERED = "ordered"  # cells with an order: bins of numbers
    CELLS = "cells"  # any cells: bins, categories, hours
    CATEGORIES = "categories"  # categories, the last cell being the unseen ones
    MISSING = "missing"  # two cells: present, missing
    ROWS = "rows"  # one cell: the number of rows
    HOURS = "hours"  # 24 cells: the hours of the day
    PAIR = "pair"  # three cells: the first of two columns is less, equal, greater
    TABLE = "table"  # four cells: two columns above or below the reference's medians, as hh, hl, lh, ll
    LEAVES = "leaves"  # the parts into which the space of several columns is cut
    BUCKETS = "buckets"  # 64 cells: values by their hash


@dataclass(frozen=True, slots=True)
class Statistic:
    """A statistic and what is known of it.

    Attributes:
        name: Its public name.
        reads: Which counts it reads.
        check: The catalogue name under which it alarms.
        score: The function of current and reference counts, and of what it needs besides.
        symmetric: Whether exchanging current and reference leaves the score alone.
        bound: The largest possible score.
        signed: Whether scores carry a direction (more or less than the reference); the size is then the score.
        family: Whether it takes part in the alarm on one batch by default.
        noise: The scale below which a score is sampling noise, as a power of 1/rows.
        coarse: Whether it reads coarse cells.
        needs: What ``score`` takes as its third argument: ``positions`` of the cells, ascending, shape (cells,); or the
            ``blocks`` of the reference, counts of shape (B, cells); or nothing.
        reported: Whether it is computed for every column at every gate, and not only for those who ask for it.
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
    needs: Needs | None = None
    reported: bool = False

    def size(self, current: Array, reference: Array, *needed: Array) -> Array:
        """The score without its direction: 0 = no difference, larger = more."""
        return np.abs(self.score(current, reference, *needed))


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
    needs: Needs | None = None,
    reported: bool = False,
) -> Callable[[Score], Score]:
    """Register the decorated function under its own name; what takes part in the alarm is reported too."""

    def register(score: Score) -> Score:
        name = score.__name__
        known = _REGISTRY.get(name)
        if known is not None and known.score.__module__ != score.__module__:
            raise MonitorError(
                f"two statistics are called {name!r}", found=f"{known.score.__module__} and {score.__module__}"
            )
        _refuse(name, reads, needs, reported or family)
        _REGISTRY[name] = Statistic(
            name, reads, check, score, symmetric, bound, signed, family, noise, coarse, needs, reported or family
        )
        return score

    return register


def _refuse(name: str, reads: Reads, needs: Needs | None, at_the_gate: bool) -> None:
    """Refuse what no gate could compute for every batch."""
    asked = reads in (Reads.HOURS, Reads.PAIR, Reads.BUCKETS) or needs == "blocks"
    if at_the_gate and asked:
        allowed = "reported=False, family=False: it is for those who ask for it"
        raise MonitorError(f"the statistic {name!r} cannot be computed for every batch", allowed=allowed)


@cache
def statistics() -> Mapping[str, Statistic]:
    """All statistics by name, in alphabetical order: ours, and those of installed packages.

    Raises:
        MonitorError: An entry point cannot be loaded, registers nothing, or takes a name that is taken.
    """
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    for entry in entry_points(group=GROUP):
        _load(entry)
    return MappingProxyType(dict(sorted(_REGISTRY.items())))


def _load(entry: EntryPoint) -> None:
    where = f"the statistic {entry.name!r} of {entry.dist.name if entry.dist else 'an unknown package'}"
    hint = f"mend or uninstall the package; its entry point in {GROUP!r} is {entry.value!r}"
    try:
        loaded = entry.load()
    except Exception as error:
        raise MonitorError(f"{where} cannot be loaded", found=f"{type(error).__name__}: {error}", hint=hint) from error
    inside = f"{entry.module}."
    if not any(item.score is loaded or f"{item.score.__module__}.".startswith(inside) for item in _REGISTRY.values()):
        raise MonitorError(f"{where} registers nothing", allowed="a function under @statistic(...)", hint=hint)


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


def effective_rows(current: Array, reference: Array) -> Array:
    """What tests of two samples grow with, shape (...): n m / (n + m) for n and m rows; 0 where a side has none."""
    n, m = current.sum(axis=-1), reference.sum(axis=-1)
    return np.asarray(np.divide(n, n + m, out=np.zeros_like(n + m), where=n + m > 0) * m)
