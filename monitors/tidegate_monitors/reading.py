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
    def of(cls, values: Any, cells: Cells, *, coded: bool = False, named: bool = True) -> Reading:
        """Read an Arrow column.

        Args:
            values: The column.
            cells: What it is counted into.
            coded: Whether other columns are told of each row.
            named: Whether hashes of single values may be kept; False for personal data.
        """
        values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) and values.num_chunks > 1 else values
        values = values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([values])
        family = logical_type(values.type)
        hashes = hashing.of_column(values)
        if family in (LogicalType.INTEGER, LogicalType.NUMBER) and cells.kind is not Kind.CATEGORY:
            return _of_numbers(values, cells, hashes, coded=coded, named=named)
        if cells.kind is Kind.HOUR and cells.fits(values.type):
            return _of_times(values, cells, hashes, coded=coded)
        if (
            cells.kind is Kind.CATEGORY
            and cells.fits(values.type)
            and len(values)
            and not pa.types.is_null(values.type)
        ):
            return _of_categories(values, cells, hashes, coded=coded)
        profile = _bare(values, cells, hashes if named else None)
        return cls(profile, hashes, *_nowhere(len(values))) if coded else cls(profile, hashes)


def _of_numbers(values: Any, cells: Cells, hashes: Hashes, *, coded: bool, named: bool) -> Reading:
    numbers = np.asarray(values.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)
    gaps = np.isnan(numbers)
    missing = int(gaps.sum())
    present = numbers[~gaps] if missing else numbers
    finite = present[np.isfinite(present)]
    non_finite = int(present.size - finite.size)
    zeros = present.size - int(np.count_nonzero(present))
    watched = cells.kind is Kind.NUMERIC
    if not watched:  # an identifier, or personal, or of another type: no value is kept
        finite = finite[:0]
    ordered = np.sort(finite)
    profile = ColumnProfile(
        rows=len(values),
        missing=missing,
        non_finite=non_finite,
        zeros=zeros,
        moments=Moments.of(finite),
        log_moments=Moments.of(_logarithms(ordered)),
        low=float(ordered[0]) if ordered.size else None,
        high=float(ordered[-1]) if ordered.size else None,
        counts=tuple(cells.count_sorted(ordered).tolist()) if watched else (0,) * cells.size,
        registers=_registers(hashes, gaps if missing else None) if named else Registers(),
        weekdays=(0,) * _weekday_count(cells),
        buckets=_buckets(hashes, gaps if missing else None) if watched else (0,) * _bucket_count(cells),
    )
    if not coded:
        return Reading(profile, hashes, numbers=numbers)
    if not watched:
        return Reading(profile, hashes, *_nowhere(len(values)), numbers)
    return Reading(profile, hashes, _broad_of_numbers(numbers, cells), _halves_of_numbers(numbers, cells), numbers)


def _logarithms(ordered: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """ln|x| of the numbers other than zero, which are in order."""
    zeros = slice(*np.searchsorted(ordered, (0.0, np.nextafter(0.0, 1.0))))
    found = np.delete(ordered, zeros) if zeros.stop > zeros.start else ordered
    found = np.abs(found) if found.size and found[0] < 0 else found
    logarithms: npt.NDArray[np.float64] = np.log(found)
    return logarithms


def _broad_of_numbers(numbers: npt.NDArray[np.float64], cells: Cells) -> Codes:
    codes = np.zeros(numbers.size, dtype=np.uint8)
    for start in cells.broad[1:]:
        codes += numbers > cells.edges[start - 1]
    codes[~np.isfinite(numbers)] = BROAD_CELLS
    return codes


def _halves_of_numbers(numbers: npt.NDArray[np.float64], cells: Cells) -> tuple[Bits, Bits]:
    if not cells.upper:
        nothing = np.zeros(numbers.size, dtype=bool)
        return nothing, nothing
    edge = cells.edges[cells.upper - 1]
    return numbers > edge, numbers <= edge


def _of_times(values: Any, cells: Cells, hashes: Hashes, *, coded: bool) -> Reading:
    present = values.drop_null()
    local = LocalHours.of(present, cells.zone)
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
    if not coded:
        return Reading(profile, hashes, numbers=moments)
    fine = np.full(len(values), -1, dtype=np.int64)
    fine[slice(None) if gaps is None else ~gaps] = local.hour
    return Reading(profile, hashes, *_told(fine, cells), moments)


def _of_categories(values: Any, cells: Cells, hashes: Hashes, *, coded: bool) -> Reading:
    encoded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
    encoded = pa.concat_arrays(encoded.unify_dictionaries().chunks)
    names = encoded.dictionary.to_pylist()
    places = cells.place_of([str(name) for name in names])
    places[[place for place, name in enumerate(names) if name is None or name != name]] = -1  # NaN is missing
    codes = np.asarray(pc.fill_null(encoded.indices, len(names)).to_numpy(), dtype=np.intp)
    fine = np.append(places, -1)[codes]
    missing = int((fine < 0).sum())
    counts = np.bincount(fine + 1, minlength=cells.size + 1)[1:]
    gaps_or_none = fine < 0 if missing else None
    profile = ColumnProfile(
        rows=len(values),
        missing=missing,
        counts=tuple(counts.tolist()),
        registers=_registers(hashes, gaps_or_none),
        buckets=_buckets(hashes, gaps_or_none),
    )
    return Reading(profile, hashes, *_told(fine, cells)) if coded else Reading(profile, hashes)


def _told(fine: npt.NDArray[np.int64], cells: Cells) -> tuple[Codes, tuple[Bits, Bits]]:
    """Broad cells and halves of rows whose fine cell is known, -1 where the value is missing."""
    lookup = np.append(cells.broad_code(np.arange(cells.size)), np.uint8(BROAD_CELLS))
    return lookup[fine], (fine >= max(cells.upper, 1), (fine >= 0) & (fine < cells.upper))


def _nowhere(rows: int) -> tuple[Codes, tuple[Bits, Bits]]:
    """Rows that are in no cell."""
    nothing = np.zeros(rows, dtype=bool)
    return np.full(rows, BROAD_CELLS, dtype=np.uint8), (nothing, nothing)


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
