"""Values that stand for something else: sentinels, placeholders, and text in the wrong encoding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tidegate_contracts.bounds import allowed_values
from tidegate_contracts.clauses import Subject, clause
from tidegate_contracts.extremes import extremes
from tidegate_contracts.reasons import Broken
from tidegate_contracts.severity import Severity
from tidegate_contracts.types import LogicalType, logical_type

_SENTINELS = np.array(
    [sign * (10.0**n - 1) for n in range(3, 10) for sign in (1, -1)]  # ±999 to ±999999999
    + [sign * 10.0**n for n in (20, 30, 36) for sign in (1, -1)]
    + [float(sign * 2**n + shift) for n in (15, 31, 63) for sign, shift in ((1, -1), (-1, 0))]
    + [float(kind.max) * sign for kind in (np.finfo(np.float32), np.finfo(np.float64)) for sign in (1, -1)]
)
_MOMENTS = ("0001-01-01", "1601-01-01", "1899-12-30", "1900-01-01", "1970-01-01", "2038-01-19", "9999-12-31")
_PLACEHOLDERS = (
    *("", " ", "-", "--", "?", "NULL", "null", "(null)", "N/A", "n/a", "#N/A", "NaN", "nan", "None", "none"),
    *("NaT", "undefined", "[object Object]", "#REF!", "#VALUE!", "#DIV/0!", "\\N"),
)
# UTF-8 that was read as Windows-1252 or Latin-1, and the sign for bytes that no decoder could read
_CP1252 = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_MOJIBAKE = rf"Ã[\x{{80}}-\x{{BF}}{_CP1252}]|Â[\x{{A0}}-\x{{BF}}]|â€|ï»¿|\x{{FFFD}}"
_TIMES_MINIMUM = 3
_REST_MINIMUM = 10
_DAY_US = 86_400_000_000


@clause
def garbage_values(subject: Subject) -> Iterator[Broken]:
    """Values that look like garbage; told of, because they may be meant.

    Numbers such as -999 or 1e20 count where they stand at least three times and lie apart from all other values: by
    more than half of those values' range, or below zero where nothing else is. Days such as 1970-01-01 count where
    every other time is at least a year away. Words such as 'NULL', and text in the wrong encoding, count from three
    on. What ``isin`` allows is no garbage.
    """
    for name in subject.batch.table.column_names:
        values = subject.values(name)
        if values is None or name in subject.contract.later_columns or not len(values):
            continue
        for rule, rows in _garbage(values, allowed_values(subject.contract, name)):
            yield Broken("garbage_values", rule, name, rows, Severity.WARNING, promised=False)


def _garbage(values: Any, allowed: frozenset[Any]) -> Iterator[tuple[str, npt.NDArray[np.int64]]]:
    """What looks like garbage in a column: in words, and where."""
    family = logical_type(values.type)
    if family in (LogicalType.INTEGER, LogicalType.NUMBER):
        yield from _sentinels(values, allowed)
    elif family in (LogicalType.TIME, LogicalType.DATE):
        yield from _moments(values)
    elif family is LogicalType.TEXT:
        yield from _words(values, allowed)


def _sentinels(values: Any, allowed: frozenset[Any]) -> Iterator[tuple[str, npt.NDArray[np.int64]]]:
    bounds = extremes(values)
    if bounds is None or _SUSPECTS.isdisjoint(bounds):
        return  # a sentinel that lies apart from all other values is an extreme
    numbers = np.asarray(values.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)
    suspects = np.isin(numbers, _SENTINELS)
    rest = numbers[~suspects & np.isfinite(numbers)]
    if rest.size < _REST_MINIMUM:
        return
    low, high = float(rest.min()), float(rest.max())
    found, times = np.unique(numbers[suspects], return_counts=True)
    apart = [
        value
        for value, count in zip(found.tolist(), times.tolist(), strict=True)
        if count >= _TIMES_MINIMUM and value not in allowed and _is_apart(value, low, high)
    ]
    if apart:
        words = ", ".join(f"{value:.6g}" if abs(value) > 1e9 else f"{value:.0f}" for value in apart)
        yield f"no stand-in for a missing number ({words})", np.flatnonzero(np.isin(numbers, apart))


_SUSPECTS = frozenset(_SENTINELS.tolist()) | {float("inf"), float("-inf")}


def _is_apart(value: float, low: float, high: float) -> bool:
    gap = max(low - value, value - high)
    return gap > 0 and (gap > (high - low) / 2 or value < 0 <= low)


def _moments(values: Any) -> Iterator[tuple[str, npt.NDArray[np.int64]]]:
    times = _microseconds(values)
    if times is None:
        return
    bounds = pc.min_max(times)
    ends = [bounds["min"].as_py(), bounds["max"].as_py()]
    suspects = [moment for moment in _MOMENTS if any(_is_day(end, moment) for end in ends if end is not None)]
    for moment in suspects:
        stamps = np.asarray(pc.fill_null(times, 0).to_numpy())
        present = np.asarray(pc.is_valid(times).to_numpy(), dtype=bool)
        there = present & (np.abs(stamps - _stamp(moment)) < _DAY_US)
        rest = stamps[present & ~there]
        if rest.size and np.abs(rest - _stamp(moment)).min() > 365 * _DAY_US:
            yield f"no stand-in for a missing time ({moment})", np.flatnonzero(there)


def _microseconds(values: Any) -> Any:
    """Times or days as whole microseconds since 1970; None where they do not fit."""
    try:
        return values.cast(pa.timestamp("us", getattr(values.type, "tz", None)), safe=False).cast(pa.int64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def _stamp(moment: str) -> int:
    return int(np.datetime64(moment, "us").astype(np.int64))


def _is_day(stamp: int, moment: str) -> bool:
    """Within a day: midnight is another instant in each zone."""
    return abs(stamp - _stamp(moment)) < _DAY_US


def _words(values: Any, allowed: frozenset[Any]) -> Iterator[tuple[str, npt.NDArray[np.int64]]]:
    wanted = pa.array([word for word in _PLACEHOLDERS if word not in allowed], values.type)
    rows = np.flatnonzero(pc.is_in(values, value_set=wanted).to_numpy())
    if rows.size >= _TIMES_MINIMUM:
        words = sorted({repr(word) for word in pc.unique(values.take(pa.array(rows))).to_pylist()})
        yield f"no stand-in for a missing text ({', '.join(words)})", rows
    if pc.all(pc.string_is_ascii(values)).as_py() is False:
        strange = pc.fill_null(pc.match_substring_regex(values, _MOJIBAKE), fill_value=False)
        rows = np.flatnonzero(strange.to_numpy())
        if rows.size >= _TIMES_MINIMUM:
            yield "text in its own encoding", rows
