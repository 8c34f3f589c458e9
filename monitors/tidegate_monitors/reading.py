"""One column of a batch, read once: what the profile keeps of it, and what it shares with other columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tidegate_contracts.types import LogicalType, logical_type
from tidegate_monitors import hashing
from tidegate_monitors.cells import BROAD_CELLS, Cells, Kind
from tidegate_monitors.column_profile import BUCKETS, ColumnProfile
from tidegate_monitors.hashing import Hashes
from tidegate_monitors.joint import Bits
from tidegate_monitors.local_hours import LocalHours
from tidegate_monitors.moments import Moments
from tidegate_monitors.ordered import Ordered
from tidegate_monitors.registers import Registers

Codes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Halves = tuple[Bits, Bits | None]

_BUCKET = np.uint64(58)
_EXACT = 1 << 53  # whole numbers below it are exact as floats


@dataclass(frozen=True, slots=True)
class Reading:
    """What one pass over a column gives.

    Attributes:
        profile: What is kept.
        hashes: Of each row's value, shape (rows,).
        broad: The broad cell of each row, the last code where the value is missing or infinite; None if not asked for.
        halves: Which rows are high and which are low (None: all others); None if not asked for.
        numbers: The values of a column of numbers or times, shape (rows,), NaN where missing; None for others, and if
            not asked for.
    """

    profile: ColumnProfile
    hashes: Hashes
    broad: Codes | None = None
    halves: Halves | None = None
    numbers: npt.NDArray[Any] | None = None

    @classmethod
    def of(
        cls,
        values: Any,
        cells: Cells,
        *,
        coded: bool = False,
        halved: bool = False,
        compared: bool = False,
        named: bool = True,
    ) -> Reading:
        """Read an Arrow column.

        Args:
            values: The column.
            cells: What it is counted into.
            coded: Whether slices are told of each row's broad cell.
            halved: Whether other columns are told which rows are high.
            compared: Whether its values are compared with another column's.
            named: Whether hashes of single values may be kept; False for personal data.
        """
        values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) and values.num_chunks > 1 else values
        values = values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([values])
        told = _Told(cells, coded, halved, compared)
        if cells.kind is not Kind.CATEGORY and logical_type(values.type) in (LogicalType.INTEGER, LogicalType.NUMBER):
            return _of_numbers(values, told) if cells.kind is Kind.NUMERIC else _uncounted(values, told, named=named)
        if cells.kind is Kind.HOUR and cells.fits(values.type):
            return _of_times(values, told)
        if cells.kind is Kind.CATEGORY and cells.fits(values.type) and not pa.types.is_null(values.type):
            return _of_categories(values, told) if len(values) else _bare(values, told, named=named)
        return _bare(values, told, named=named)


@dataclass(frozen=True, slots=True)
class _Told:
    """What other columns are told of each row, from its cell."""

    cells: Cells
    coded: bool
    halved: bool
    compared: bool

    def nowhere(self, rows: int) -> tuple[Codes | None, Halves | None]:
        """Rows that are in no cell."""
        nothing = np.zeros(rows, dtype=bool)
        codes = np.full(rows, BROAD_CELLS, dtype=np.uint8) if self.coded else None
        return codes, (nothing, nothing) if self.halved else None

    def of_cells(
        self, fine: npt.NDArray[np.int64], rows: npt.NDArray[np.intp] | slice = slice(None)
    ) -> tuple[Codes | None, Halves | None]:
        """Rows whose fine cell is known, -1 where the value is missing.

        Args:
            fine: The fine cell of each row, or of each of a few values.
            rows: Then the place of each row's value among these.
        """
        upper = self.cells.upper
        lookup = np.append(self.cells.broad_code(np.arange(self.cells.size)), np.uint8(BROAD_CELLS))
        high, low = fine >= max(upper, 1), (fine >= 0) & (fine < upper)
        halves = (high[rows], low[rows]) if self.halved else None
        return lookup[fine][rows] if self.coded else None, halves

    def of_numbers(self, numbers: Floats, ordered: Ordered) -> tuple[Codes | None, Halves | None]:
        """Rows of numbers, NaN where missing."""
        edges, codes, halves = self.cells.edges, None, None
        if self.coded:
            codes = np.zeros(numbers.size, dtype=np.uint8)
            for start in self.cells.broad[1:]:
                codes += numbers > edges[start - 1]
            if ordered.missing or ordered.non_finite:
                codes[~np.isfinite(numbers)] = BROAD_CELLS
        if self.halved:
            edge = edges[self.cells.upper - 1] if self.cells.upper else np.nan
            halves = numbers > edge, numbers <= edge if ordered.missing or not self.cells.upper else None
        return codes, halves


def _of_numbers(values: Any, told: _Told) -> Reading:
    numbers = hashing.as_floats(values)
    ordered = Ordered.of(numbers)
    gaps = np.isnan(numbers) if ordered.missing else None
    floating = pa.types.is_floating(values.type)
    hashes = hashing.of_numbers(numbers, gaps) if floating else hashing.of_column(values)
    registers, buckets = _of_few(ordered, values.type) or _of_many(hashes, gaps)
    finite = ordered.finite
    profile = ColumnProfile(
        rows=len(values),
        missing=ordered.missing,
        non_finite=ordered.non_finite,
        zeros=ordered.zeros,
        moments=Moments.of(finite),
        log_moments=Moments.of(ordered.logarithms()),
        low=float(finite[0]) if finite.size else None,
        high=float(finite[-1]) if finite.size else None,
        counts=tuple(told.cells.count_sorted(finite).tolist()),
        registers=registers,
        buckets=buckets,
    )
    return Reading(profile, hashes, *told.of_numbers(numbers, ordered), numbers if told.compared else None)


def _of_few(ordered: Ordered, kind: Any) -> tuple[Registers, tuple[int, ...]] | None:
    """Registers and buckets by the hash of each different number, once; None where this is no gain."""
    whole = pa.types.is_integer(kind)
    if not whole and not pa.types.is_floating(kind):
        return None
    if whole and ordered.numbers.size and not -_EXACT < ordered.numbers[0] <= ordered.numbers[-1] < _EXACT:
        return None
    found = ordered.few()
    if found is None:
        return None
    values, rows = found
    hashes = hashing.of_whole(values.astype(np.int64)) if whole else hashing.of_numbers(values)
    return Registers.of(hashes), _weighted(hashes, rows)


def _of_many(hashes: Hashes, gaps: npt.NDArray[np.bool_] | None) -> tuple[Registers, tuple[int, ...]]:
    present = hashes if gaps is None else hashes[~gaps]
    return Registers.of(present), tuple(np.bincount((present >> _BUCKET).view(np.int64), minlength=BUCKETS).tolist())


def _uncounted(values: Any, told: _Told, *, named: bool) -> Reading:
    """Numbers without cells, as identifiers and personal data are: no value is kept."""
    hashes, numbers = hashing.of_column(values), hashing.as_floats(values)
    gaps = np.isnan(numbers)
    missing = int(np.count_nonzero(gaps))
    profile = ColumnProfile(
        rows=len(values),
        missing=missing,
        non_finite=int(np.count_nonzero(np.isinf(numbers))),
        zeros=numbers.size - int(np.count_nonzero(numbers)),
        counts=(0,) * told.cells.size,
        weekdays=(0,) * _weekday_count(told.cells),
        registers=_registers(hashes, gaps if missing else None) if named else Registers(),
        buckets=(0,) * _bucket_count(told.cells),
    )
    return Reading(profile, hashes, *told.nowhere(numbers.size), numbers if told.compared else None)


def _of_times(values: Any, told: _Told) -> Reading:
    hashes = hashing.of_column(values)
    present = values.drop_null() if values.null_count else values
    local = LocalHours.of(present, told.cells.zone)
    hours, weekdays = local.counts()
    gaps = np.asarray(values.is_null().to_numpy(), dtype=bool) if values.null_count else None
    profile = ColumnProfile(
        rows=len(values),
        missing=values.null_count,
        counts=tuple(hours.tolist()),
        weekdays=tuple(weekdays.tolist()),
        registers=_registers(hashes, gaps),
    )
    moments = _moments(values, gaps) if told.compared else None
    if not told.coded and not told.halved:
        return Reading(profile, hashes, numbers=moments)
    fine = np.full(len(values), -1, dtype=np.int64)
    fine[slice(None) if gaps is None else ~gaps] = local.hour
    return Reading(profile, hashes, *told.of_cells(fine), moments)


def _moments(values: Any, gaps: npt.NDArray[np.bool_] | None) -> Floats:
    """Times as numbers of their unit."""
    moments = np.asarray(values.cast(pa.int64()).fill_null(0).to_numpy()).astype(np.float64)
    if gaps is not None:
        moments[gaps] = np.nan
    return moments


def _of_categories(values: Any, told: _Told) -> Reading:
    """Each different value is looked at once."""
    encoded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
    encoded = encoded.chunk(0) if encoded.num_chunks == 1 else pa.concat_arrays(encoded.unify_dictionaries().chunks)
    names = encoded.dictionary.to_pylist()
    places = np.append(told.cells.place_of([str(name) for name in names]), -1)
    places[[place for place, name in enumerate(names) if name is None or name != name]] = -1  # NaN is missing
    own = np.append(hashing.of_column(pa.chunked_array([encoded.dictionary])), hashing.MISSING)
    indices = pc.fill_null(encoded.indices.cast(pa.int64()), len(names)) if encoded.null_count else encoded.indices
    codes = np.asarray(indices.to_numpy(), dtype=np.intp)
    rows = np.bincount(codes, minlength=len(names) + 1)
    counts = np.bincount(places + 1, weights=rows, minlength=told.cells.size + 1).astype(np.int64)
    known = np.flatnonzero((rows > 0) & (places >= 0))
    profile = ColumnProfile(
        rows=len(values),
        missing=int(counts[0]),
        counts=tuple(counts[1:].tolist()),
        registers=Registers.of(own[known]),
        buckets=_weighted(own[known], rows[known]),
    )
    return Reading(profile, own[codes], *told.of_cells(places, codes))


def _bare(values: Any, told: _Told, *, named: bool) -> Reading:
    """A column of which only the gaps are counted, and roughly how many different values it has."""
    hashes, cells = hashing.of_column(values), told.cells
    gaps = np.asarray(pc.is_null(values, nan_is_null=True).to_numpy(), dtype=bool) if values.null_count else None
    profile = ColumnProfile(
        rows=len(values),
        missing=values.null_count,
        counts=(0,) * cells.size,
        weekdays=(0,) * _weekday_count(cells),
        registers=_registers(hashes, gaps) if named else Registers(),
        buckets=(0,) * _bucket_count(cells),
    )
    return Reading(profile, hashes, *told.nowhere(len(values)))


def _weekday_count(cells: Cells) -> int:
    return 7 if cells.kind is Kind.HOUR else 0


def _bucket_count(cells: Cells) -> int:
    return BUCKETS if cells.kind in (Kind.NUMERIC, Kind.CATEGORY) else 0


def _registers(hashes: Hashes, gaps: npt.NDArray[np.bool_] | None) -> Registers:
    return Registers.of(hashes if gaps is None else hashes[~gaps])


def _weighted(hashes: Hashes, rows: npt.NDArray[np.int64]) -> tuple[int, ...]:
    """Rows by bucket, from the hash of each different value and its rows."""
    return tuple(
        np.bincount((hashes >> _BUCKET).view(np.int64), weights=rows, minlength=BUCKETS).astype(np.int64).tolist()
    )
