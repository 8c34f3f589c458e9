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
from tidegate_monitors.registers import Registers

Codes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Halves = tuple[Bits, Bits]

_SINGLE = (1e-30, 1e30)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one pass over a column gives.

    Attributes:
        profile: What is kept.
        hashes: Of each row's value, shape (rows,).
        broad: The broad cell of each row, the last code where the value is missing or infinite; None if not asked for.
        halves: Which rows are high and which are low; None if not asked for.
        numbers: The values of a column of numbers or times, shape (rows,), NaN where missing; None for others.
    """

    profile: ColumnProfile
    hashes: Hashes
    broad: Codes | None = None
    halves: tuple[Bits, Bits] | None = None
    numbers: npt.NDArray[Any] | None = None

    @classmethod
    def of(cls, values: Any, cells: Cells, *, coded: bool = False, halved: bool = False, named: bool = True) -> Reading:
        """Read an Arrow column.

        Args:
            values: The column.
            cells: What it is counted into.
            coded: Whether slices are told of each row's broad cell.
            halved: Whether other columns are told which rows are high.
            named: Whether hashes of single values may be kept; False for personal data.
        """
        values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) and values.num_chunks > 1 else values
        values = values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([values])
        family = logical_type(values.type)
        hashes = hashing.of_column(values)
        told = _Told(cells, coded, halved)
        if family in (LogicalType.INTEGER, LogicalType.NUMBER) and cells.kind is not Kind.CATEGORY:
            return _of_numbers(values, hashes, told, named=named)
        if cells.kind is Kind.HOUR and cells.fits(values.type):
            return _of_times(values, hashes, told)
        if (
            cells.kind is Kind.CATEGORY
            and cells.fits(values.type)
            and len(values)
            and not pa.types.is_null(values.type)
        ):
            return _of_categories(values, hashes, told)
        return cls(_bare(values, cells, hashes if named else None), hashes, *told.nowhere(len(values)))


@dataclass(frozen=True, slots=True)
class _Told:
    """What other columns are told of each row, from its cell."""

    cells: Cells
    coded: bool
    halved: bool

    def nowhere(self, rows: int) -> tuple[Codes | None, Halves | None]:
        """Rows that are in no cell."""
        nothing = np.zeros(rows, dtype=bool)
        codes = np.full(rows, BROAD_CELLS, dtype=np.uint8) if self.coded else None
        return codes, (nothing, nothing) if self.halved else None

    def of_cells(self, fine: npt.NDArray[np.int64]) -> tuple[Codes | None, Halves | None]:
        """Rows whose fine cell is known, -1 where the value is missing."""
        upper = self.cells.upper
        lookup = np.append(self.cells.broad_code(np.arange(self.cells.size)), np.uint8(BROAD_CELLS))
        halves = (fine >= max(upper, 1), (fine >= 0) & (fine < upper)) if self.halved else None
        return lookup[fine] if self.coded else None, halves

    def of_numbers(self, numbers: Floats) -> tuple[Codes | None, Halves | None]:
        """Rows of numbers, NaN where missing."""
        if self.cells.kind is not Kind.NUMERIC:
            return self.nowhere(numbers.size)
        edges, codes, halves = self.cells.edges, None, None
        if self.coded:
            codes = np.zeros(numbers.size, dtype=np.uint8)
            for start in self.cells.broad[1:]:
                codes += numbers > edges[start - 1]
            codes[~np.isfinite(numbers)] = BROAD_CELLS
        if self.halved:
            edge = edges[self.cells.upper - 1] if self.cells.upper else np.nan
            halves = numbers > edge, numbers <= edge
        return codes, halves


def _of_numbers(values: Any, hashes: Hashes, told: _Told, *, named: bool) -> Reading:
    cells = told.cells
    numbers = np.asarray(values.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)
    gaps = np.isnan(numbers)
    missing = int(np.count_nonzero(gaps))
    present = numbers[~gaps] if missing else numbers
    bounded = np.isfinite(present)
    non_finite = int(present.size - np.count_nonzero(bounded))
    watched = cells.kind is Kind.NUMERIC
    finite = present[bounded] if non_finite else present
    ordered = np.sort(finite if watched else finite[:0])  # of identifiers and personal data no value is kept
    profile = ColumnProfile(
        rows=len(values),
        missing=missing,
        non_finite=non_finite,
        zeros=present.size - int(np.count_nonzero(present)),
        moments=Moments.of(ordered),
        log_moments=Moments.of(_logarithms(ordered)),
        low=float(ordered[0]) if ordered.size else None,
        high=float(ordered[-1]) if ordered.size else None,
        counts=tuple(cells.count_sorted(ordered).tolist()) if watched else (0,) * cells.size,
        registers=_registers(hashes, gaps if missing else None) if named else Registers(),
        weekdays=(0,) * _weekday_count(cells),
        buckets=_buckets(hashes, gaps if missing else None) if watched else (0,) * _bucket_count(cells),
    )
    return Reading(profile, hashes, *told.of_numbers(numbers), numbers)


def _logarithms(ordered: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """ln|x| of the numbers other than zero, which are in order; to single precision, which is five times as fast."""
    zeros = slice(*np.searchsorted(ordered, (0.0, np.nextafter(0.0, 1.0))))
    found = np.delete(ordered, zeros) if zeros.stop > zeros.start else ordered
    found = np.abs(found) if found.size and found[0] < 0 else found
    with np.errstate(over="ignore", under="ignore", divide="ignore"):
        logarithms: Floats = np.log(found.astype(np.float32)).astype(np.float64)
    extreme = np.flatnonzero((found < _SINGLE[0]) | (found > _SINGLE[1]))
    logarithms[extreme] = np.log(found[extreme])
    return logarithms


def _of_times(values: Any, hashes: Hashes, told: _Told) -> Reading:
    present = values.drop_null()
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
    moments = np.asarray(values.cast(pa.int64()).fill_null(0).to_numpy()).astype(np.float64)
    if gaps is not None:
        moments[gaps] = np.nan
    fine = np.full(len(values), -1, dtype=np.int64)
    fine[slice(None) if gaps is None else ~gaps] = local.hour
    return Reading(profile, hashes, *told.of_cells(fine), moments)


def _of_categories(values: Any, hashes: Hashes, told: _Told) -> Reading:
    cells = told.cells
    encoded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
    encoded = pa.concat_arrays(encoded.unify_dictionaries().chunks)
    names = encoded.dictionary.to_pylist()
    places = cells.place_of([str(name) for name in names])
    places[[place for place, name in enumerate(names) if name is None or name != name]] = -1  # NaN is missing
    codes = np.asarray(pc.fill_null(encoded.indices, len(names)).to_numpy(), dtype=np.intp)
    fine = np.append(places, -1)[codes]
    counts = np.bincount(fine + 1, minlength=cells.size + 1)
    last = np.full(len(names) + 1, -1, dtype=np.int64)
    last[codes] = np.arange(codes.size)  # one row of each category that occurs
    known = np.flatnonzero((last >= 0) & (np.append(places, -1) >= 0))
    own = hashes[last[known]]
    rows = np.bincount(codes, minlength=len(names) + 1)[known]
    buckets = np.bincount((own >> np.uint64(58)).astype(np.intp), weights=rows, minlength=BUCKETS)
    profile = ColumnProfile(
        rows=len(values),
        missing=int(counts[0]),
        counts=tuple(counts[1:].tolist()),
        registers=Registers.of(own),
        buckets=tuple(buckets.astype(np.int64).tolist()),
    )
    return Reading(profile, hashes, *told.of_cells(fine))


def _bare(values: Any, cells: Cells, hashes: Hashes | None) -> ColumnProfile:
    """A column of which only the gaps are counted, and roughly how many different values it has."""
    gaps = np.asarray(pc.is_null(values, nan_is_null=True).to_numpy(), dtype=bool) if values.null_count else None
    return ColumnProfile(
        rows=len(values),
        missing=values.null_count,
        counts=(0,) * cells.size,
        weekdays=(0,) * _weekday_count(cells),
        registers=_registers(hashes, gaps) if hashes is not None else Registers(),
        buckets=(0,) * _bucket_count(cells),
    )


def _weekday_count(cells: Cells) -> int:
    return 7 if cells.kind is Kind.HOUR else 0


def _bucket_count(cells: Cells) -> int:
    return BUCKETS if cells.kind in (Kind.NUMERIC, Kind.CATEGORY) else 0


def _registers(hashes: Hashes, gaps: npt.NDArray[np.bool_] | None) -> Registers:
    return Registers.of(hashes if gaps is None else hashes[~gaps])


def _buckets(hashes: Hashes, gaps: npt.NDArray[np.bool_] | None) -> tuple[int, ...]:
    present = hashes if gaps is None else hashes[~gaps]
    return tuple(np.bincount((present >> np.uint64(58)).astype(np.intp), minlength=BUCKETS).tolist())
