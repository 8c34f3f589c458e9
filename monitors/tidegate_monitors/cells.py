"""How the values of a column are counted: always into the same cells, so that counts can be added and compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tidegate_contracts.types import LogicalType, logical_type

FINE_BINS = 256
COARSE_BINS = 32
TAIL_BINS = 12
BROAD_CELLS = 8
KEPT_MINIMUM = 100
KNOWN_MAXIMUM = 1000

Counts = npt.NDArray[np.int64]


class Kind(StrEnum):
    """What the cells of a column are."""

    NUMERIC = "numeric"
    CATEGORY = "category"
    HOUR = "hour"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of one column.

    Attributes:
        kind: Bins of numbers, categories, hours of the day, or none (an identifier: only missing values are counted).
        edges: For numbers, ascending; bin ``i`` is ``edges[i-1] < x <= edges[i]``, so there are ``len(edges) + 1``.
        kept: Categories with a cell of their own.
        pooled: Known categories that share one cell, because the reference saw few of each.
        coarse: The first fine cell of each coarse cell, for statistics that want few cells.
        broad: The first fine cell of each of at most eight broad cells, for slices.
        upper: The first fine cell of the upper half, for pairs of columns; 0 where there are no halves.
        novelty: For categories the share of rows that an unseen one is expected in: those that the reference saw once,
            over its rows. Source: I. J. Good (1953), Biometrika 40(3-4), 237-264.
        zone: For times, the zone in which the hour is read.
    """

    kind: Kind
    edges: tuple[float, ...] = ()
    kept: tuple[str, ...] = ()
    pooled: tuple[str, ...] = ()
    coarse: tuple[int, ...] = ()
    broad: tuple[int, ...] = ()
    upper: int = 0
    novelty: float = 0.0
    zone: str = "UTC"

    @property
    def size(self) -> int:
        """The number of cells. Categories end with one pooled and one unseen cell."""
        return {
            Kind.NUMERIC: len(self.edges) + 1,
            Kind.CATEGORY: len(self.kept) + 2,
            Kind.HOUR: 24,
            Kind.NONE: 0,
        }[self.kind]

    def fits(self, arrow: Any) -> bool:
        """Whether values of an Arrow type can be counted here; a column of another type has broken its contract."""
        family = logical_type(arrow)
        if self.kind is Kind.NUMERIC:
            return family in (LogicalType.INTEGER, LogicalType.NUMBER)
        if self.kind is Kind.HOUR:
            return family is LogicalType.TIME
        return self.kind is Kind.CATEGORY and not pa.types.is_nested(arrow)

    def count_sorted(self, numbers: npt.NDArray[np.float64]) -> Counts:
        """Counts of finite numbers in ascending order, shape (size,)."""
        places = np.empty(self.size + 1, dtype=np.int64)
        places[0], places[-1] = 0, numbers.size
        places[1:-1] = numbers.searchsorted(self.edges, side="right")
        return places[1:] - places[:-1]

    def place_of(self, categories: Sequence[str]) -> npt.NDArray[np.int64]:
        """The cell of each category, shape (categories,)."""
        place = {name: index for index, name in enumerate(self.kept)}
        place |= dict.fromkeys(self.pooled, len(self.kept))
        return np.array([place.get(name, self.size - 1) for name in categories], dtype=np.int64)

    @property
    def places(self) -> npt.NDArray[np.float64]:
        """For numbers a place that stands for each cell: the middle, and the edge itself of the two outermost."""
        edges = np.array(self.edges)
        if not edges.size:
            return np.zeros(1)
        return np.concatenate([edges[:1], edges[:-1] / 2 + edges[1:] / 2, edges[-1:]])

    def broad_code(self, cells: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        """The broad cell of each fine cell."""
        return np.searchsorted(np.array(self.broad[1:], dtype=np.int64), cells, side="right").astype(np.uint8)

    def coarsen(self, counts: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Counts in the coarse cells; shape (..., size) to (..., coarse)."""
        return np.add.reduceat(counts, self.coarse, axis=-1) if self.coarse else counts

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; floats survive as their shortest repr."""
        return {
            "kind": self.kind.value,
            "edges": list(self.edges),
            "kept": list(self.kept),
            "pooled": list(self.pooled),
            "coarse": list(self.coarse),
            "broad": list(self.broad),
            "upper": self.upper,
            "novelty": self.novelty,
            "zone": self.zone,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Cells:
        """Read what :meth:`to_dict` wrote."""
        return cls(
            Kind(data["kind"]),
            tuple(data["edges"]),
            tuple(data["kept"]),
            tuple(data["pooled"]),
            tuple(data["coarse"]),
            tuple(data["broad"]),
            data["upper"],
            data["novelty"],
            data["zone"],
        )


def finite(values: Any) -> npt.NDArray[np.float64]:
    """The finite numbers of an Arrow column, as float64."""
    numbers = np.asarray(values.drop_null().cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)
    return numbers[np.isfinite(numbers)]


def category_counts(values: Any) -> dict[str, int]:
    """How often each present value occurs, as text."""
    present = values.drop_null()
    if pa.types.is_floating(present.type):
        present = present.filter(pc.invert(pc.is_nan(present)))
    counted = pc.value_counts(present)
    return {str(name): count for name, count in zip(*(part.to_pylist() for part in counted.flatten()), strict=True)}


@dataclass(frozen=True, slots=True)
class Sketch:
    """A mergeable, bounded summary of one column of one block, from which cells are made.

    Attributes:
        grids: Quantile grids of the blocks, each with its number of values.
        categories: Counts by category; the commonest ``KNOWN_MAXIMUM + 1`` at most.
    """

    grids: tuple[tuple[int, tuple[float, ...]], ...] = ()
    categories: tuple[tuple[str, int], ...] = ()

    @classmethod
    def of_numbers(cls, values: Any) -> Sketch:
        """The quantile grid of one block's numbers."""
        numbers = finite(values)
        if not numbers.size:
            return cls()
        grid = np.quantile(numbers, np.linspace(0, 1, FINE_BINS + 1), method="inverted_cdf")
        return cls(grids=((int(numbers.size), tuple(grid.tolist())),))

    @classmethod
    def of_categories(cls, values: Any) -> Sketch:
        """The category counts of one block."""
        return cls(categories=_commonest(category_counts(values)))

    def __add__(self, other: Sketch) -> Sketch:
        counts = dict(self.categories)
        for name, number in other.categories:
            counts[name] = counts.get(name, 0) + number
        return Sketch(self.grids + other.grids, _commonest(counts))

    def range(self) -> tuple[float, float] | None:
        """Where nine tenths of the numbers lie; None where there are none."""
        points, weights = self._points()
        if not points.size:
            return None
        share = np.cumsum(weights) / weights.sum()
        low, high = points[np.minimum(np.searchsorted(share, (0.05, 0.95)), points.size - 1)]
        return float(low), float(high)

    def numeric_cells(self) -> Cells:
        """Bins on the pooled quantiles, a bin for each heavy atom, and geometric bins beyond the extremes."""
        points, weights = self._points()
        if not points.size:
            return Cells(Kind.NUMERIC, coarse=(0,))
        inner = _quantile_edges(points, weights, FINE_BINS)
        atoms = _atoms(points, weights, FINE_BINS)
        body = np.unique(np.concatenate([inner, atoms, np.nextafter(atoms, -np.inf)]))
        edges = np.unique(np.concatenate([_tail_edges(float(points[0]), float(points[-1])), body]))
        coarse_edges = np.unique(
            np.concatenate(
                [_quantile_edges(points, weights, COARSE_BINS), *_around(_atoms(points, weights, COARSE_BINS))]
            )
        )
        starts = np.unique(np.concatenate([[0], np.searchsorted(edges, coarse_edges, side="left") + 1]))
        places = np.searchsorted(edges, points, side="left")
        mass = np.bincount(places, weights=weights, minlength=len(edges) + 1).astype(np.float64)
        return Cells(
            Kind.NUMERIC,
            edges=tuple(edges.tolist()),
            coarse=tuple(starts[starts <= len(edges)].tolist()),
            broad=_broad(mass),
            upper=_upper(mass),
        )

    def category_cells(self) -> Cells:
        """Cells for categories: those with enough rows alone, the rest pooled; none for an identifier."""
        if len(self.categories) > KNOWN_MAXIMUM:
            return Cells(Kind.NONE)
        kept = tuple(sorted(name for name, number in self.categories if number >= KEPT_MINIMUM))
        pooled = tuple(sorted(name for name, number in self.categories if number < KEPT_MINIMUM))
        # the reference has seen all of its own categories, so a ranked statistic may not tell unseen from rare
        counts = dict(self.categories)
        mass = np.array([*(counts[name] for name in kept), sum(counts[name] for name in pooled), 0.0])
        once = sum(number == 1 for number in counts.values())
        return Cells(
            Kind.CATEGORY,
            kept=kept,
            pooled=pooled,
            coarse=tuple(range(len(kept) + 1)),
            broad=_broad(mass),
            upper=_upper(mass),
            novelty=once / max(float(mass.sum()), 1.0),
        )

    def _points(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        if not self.grids:
            return np.zeros(0), np.zeros(0)
        points = np.concatenate([np.array(grid) for _, grid in self.grids])
        weights = np.concatenate([np.full(len(grid), n / len(grid)) for n, grid in self.grids])
        order = np.argsort(points, kind="stable")
        return points[order], weights[order]


def _commonest(counts: dict[str, int]) -> tuple[tuple[str, int], ...]:
    ordered: Sequence[tuple[str, int]] = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(ordered[: KNOWN_MAXIMUM + 1])


def _quantile_edges(
    points: npt.NDArray[np.float64], weights: npt.NDArray[np.float64], bins: int
) -> npt.NDArray[np.float64]:
    share = np.cumsum(weights) / weights.sum()
    places = np.searchsorted(share, np.arange(1, bins) / bins, side="left")
    return np.unique(points[np.minimum(places, len(points) - 1)])


def _broad(mass: npt.NDArray[np.float64]) -> tuple[int, ...]:
    """The first cell of each of at most ``BROAD_CELLS`` cells of about equal mass."""
    total = mass.sum()
    if total <= 0:
        return (0,)
    eighth = np.floor((np.cumsum(mass) - mass / 2) / total * BROAD_CELLS)
    return (0, *(np.flatnonzero(np.diff(np.clip(eighth, 0, BROAD_CELLS - 1)) > 0) + 1).tolist())


def _upper(mass: npt.NDArray[np.float64]) -> int:
    """The cell from which on the upper half lies, as near to a half as cells allow; 0 where one cell holds all."""
    total = mass.sum()
    below = np.cumsum(mass)[:-1]
    if total <= 0 or not below.size:
        return 0
    best = int(np.argmin(np.abs(below / total - 0.5)))
    return best + 1 if 0 < below[best] < total else 0


def _tail_edges(low: float, high: float) -> npt.NDArray[np.float64]:
    """The extremes themselves, and geometric steps beyond them; those beyond the largest float are left out."""
    with np.errstate(over="ignore"):
        reach = max(high - low, abs(high), 1e-9) * 2.0 ** np.arange(-3, TAIL_BINS - 3)
        edges: npt.NDArray[np.float64] = np.concatenate([low - reach, [np.nextafter(low, -np.inf), high], high + reach])
    return np.asarray(edges[np.isfinite(edges)])


def _atoms(points: npt.NDArray[np.float64], weights: npt.NDArray[np.float64], bins: int) -> npt.NDArray[np.float64]:
    """Single values that hold at least one bin's share of the rows."""
    values, inverse = np.unique(points, return_inverse=True)
    mass = np.bincount(inverse, weights=weights) / weights.sum()
    heavy: npt.NDArray[np.float64] = values[mass >= 1 / bins]
    return heavy


def _around(atoms: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    return atoms, np.nextafter(atoms, -np.inf)
