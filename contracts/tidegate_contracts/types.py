"""The logical types: one table that reconciles what arrives with what the contract declares.

A value may change its representation only where it survives exactly and stays in its family: the width of an
integer, an integer as a float below 2**53, dictionary-encoded as plain, the unit of a time, the zone of the same
instant, an empty column as anything. Each such cast is named. Everything else is a mismatch.
Text formats (CSV) carry no types: their cells are parsed *towards* the declared type, and a cell that does not
parse is a violation of its row, never a missing value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc


class LogicalType(StrEnum):
    """What a value is, whatever it is stored as."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"
    TEXT = "text"
    CATEGORY = "category"
    DATE = "date"
    TIME = "time"
    DURATION = "duration"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class DeclaredType:
    """What a contract says of a column's type.

    Attributes:
        logical: The family.
        arrow: The Arrow type that values are brought to; None leaves them as they come.
        native: The pandas or polars data type that pandera will ask for; None where it asks for none.
    """

    logical: LogicalType
    arrow: Any = None
    native: Any = None

    def __str__(self) -> str:
        return str(self.native) if self.native is not None else self.logical.value


ANY = DeclaredType(LogicalType.ANY)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A column brought to its declared type.

    Attributes:
        values: A chunked array; the values as they came where ``mismatch`` is set.
        cast: What was done to the representation ("int32 → int64"), or None.
        mismatch: Why the values cannot be of the declared type, or None.
        unparsed: Positions (0-based) of cells whose text is not of the declared type.
    """

    values: Any
    cast: str | None = None
    mismatch: str | None = None
    unparsed: npt.NDArray[np.int64] | None = None


def declared_type(dtype: Any) -> DeclaredType:
    """The declared type behind a pandera data type (None: not declared)."""
    native = getattr(dtype, "type", None)
    if native is None:
        return ANY
    if type(dtype).__module__.startswith("pandera.engines.polars"):
        return _declared_in_polars(native)
    if isinstance(native, pd.ArrowDtype):
        return DeclaredType(logical_type(native.pyarrow_dtype), native.pyarrow_dtype, native)
    if isinstance(native, pd.CategoricalDtype):
        return DeclaredType(LogicalType.CATEGORY, None, native)
    if isinstance(native, pd.DatetimeTZDtype):
        return DeclaredType(LogicalType.TIME, pa.timestamp(native.unit, str(native.tz)), native)
    if isinstance(native, pd.StringDtype) or str(dtype) in ("str", "string"):
        return DeclaredType(LogicalType.TEXT, pa.string(), native if isinstance(native, pd.StringDtype) else None)
    numpy_type = getattr(native, "numpy_dtype", native)
    if not isinstance(numpy_type, np.dtype) or numpy_type.kind not in "biufMm":
        return ANY
    if numpy_type == np.float16:  # Arrow can hardly compute with halves, and a single holds each of them exactly
        return DeclaredType(LogicalType.NUMBER, pa.float32(), np.dtype("float32"))
    arrow = pa.from_numpy_dtype(numpy_type)
    return DeclaredType(_family(arrow), arrow, native)


def _declared_in_polars(native: Any) -> DeclaredType:
    """The declared type behind a polars data type."""
    import polars as pl

    arrow = pl.Series([], dtype=native).to_arrow().type
    if pa.types.is_dictionary(arrow):
        return DeclaredType(LogicalType.CATEGORY, None, native)
    if _is_text(arrow):
        return DeclaredType(LogicalType.TEXT, pa.string(), native)
    return DeclaredType(_family(arrow), None if native == pl.Object else arrow, native)


def reconcile(values: Any, declared: DeclaredType, *, text: bool = False, time_zone: str | None = None) -> Reconciled:
    """Bring one column to its declared type, or say why not.

    Args:
        values: A ``pyarrow.ChunkedArray``.
        declared: What the contract says.
        text: Whether the source carries no types, so that cells are parsed.
        time_zone: The zone that naive times are in, if the contract declares one.
    """
    if text and not pa.types.is_null(values.type):
        return _parse(values, declared, time_zone)
    found, target = str(values.type), declared.arrow
    if values.type == target:
        return Reconciled(values)
    plain = plain_values(values)
    if target is None or plain.type == target:
        cast = None if plain.type == values.type else f"{found} → {plain.type}"
        return Reconciled(plain, cast)
    why = _refusal(plain, target, time_zone)
    if why is not None:
        return Reconciled(values, mismatch=why)
    try:
        if _is_naive(plain.type) and _is_zoned(target):
            plain = pc.assume_timezone(plain, time_zone)
        cast_values = plain.cast(target, safe=True)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return Reconciled(values, mismatch=f"some values of type {found} do not survive as {target}")
    return Reconciled(cast_values, cast=f"{found} → {target}")


def _family(arrow: Any) -> LogicalType:
    families: Mapping[LogicalType, Callable[[Any], bool]] = {
        LogicalType.BOOLEAN: pa.types.is_boolean,
        LogicalType.INTEGER: pa.types.is_integer,
        LogicalType.NUMBER: lambda t: bool(pa.types.is_floating(t) or pa.types.is_decimal(t)),
        LogicalType.TEXT: _is_text,
        LogicalType.CATEGORY: pa.types.is_dictionary,
        LogicalType.DATE: pa.types.is_date,
        LogicalType.TIME: pa.types.is_timestamp,
        LogicalType.DURATION: pa.types.is_duration,
    }
    return next((family for family, is_of in families.items() if is_of(arrow)), LogicalType.ANY)


def logical_type(arrow: Any) -> LogicalType:
    """The family of an Arrow type."""
    return _family(arrow.value_type if pa.types.is_dictionary(arrow) else arrow)


def _is_text(arrow: Any) -> bool:
    return bool(pa.types.is_string(arrow) or pa.types.is_large_string(arrow) or pa.types.is_string_view(arrow))


def _is_naive(arrow: Any) -> bool:
    return bool(pa.types.is_timestamp(arrow) and arrow.tz is None)


def _is_zoned(arrow: Any) -> bool:
    return bool(pa.types.is_timestamp(arrow) and arrow.tz is not None)


def plain_values(values: Any) -> Any:
    """Values in their plain form: no dictionary, no view, no large text, and singles for halves."""
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if pa.types.is_float16(values.type):
        return values.cast(pa.float32())
    if pa.types.is_binary_view(values.type):
        return values.cast(pa.binary())
    return values.cast(pa.string()) if _is_text(values.type) and not pa.types.is_string(values.type) else values


def _refusal(values: Any, target: Any, time_zone: str | None) -> str | None:
    """Why values of this type may not be cast to the target, or None."""
    have, want = _family(values.type), _family(target)
    if pa.types.is_null(values.type):
        return None
    if have is LogicalType.INTEGER and want is LogicalType.NUMBER:
        return None if fits_float(values) else f"integers beyond 2**53 do not survive as {target}"
    if have is LogicalType.TIME and want is LogicalType.TIME:
        return _zone_refusal(values.type, target, time_zone)
    if have is not want or have is LogicalType.ANY:
        return f"found {values.type}, expected {target}"
    if have is LogicalType.NUMBER and not _survives(values, target):
        return f"some values of type {values.type} do not survive as {target}"
    return None


def _zone_refusal(have: Any, target: Any, time_zone: str | None) -> str | None:
    if _is_zoned(have) and _is_naive(target):
        return f"found times in {have.tz}, expected times without a zone"
    if _is_naive(have) and _is_zoned(target) and time_zone is None:
        return f"found times without a zone, expected times in {target.tz}, and the contract declares no time_zone"
    return None


def fits_float(values: Any) -> bool:
    """Whether each integer of an Arrow column is exact as a float64: none beyond 2**53."""
    bounds = pc.min_max(values).as_py()
    return bounds["max"] is None or max(abs(bounds["min"]), abs(bounds["max"])) <= 2**53


def _survives(values: Any, target: Any) -> bool:
    """Whether each number is the same after the cast and back."""
    there = values.cast(target, safe=False)
    back = there.cast(values.type, safe=False)
    same = pc.equal(back, values)
    if pa.types.is_floating(values.type):
        same = pc.or_(same, pc.and_(pc.is_nan(back), pc.is_nan(values)))
    return bool(pc.all(same).as_py() in (True, None))


_MISSING_TEXT = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None")
_PATTERNS: Mapping[LogicalType, str] = {
    LogicalType.INTEGER: r"^[+-]?\d+$",
    LogicalType.NUMBER: r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^[+-]?(inf|Infinity)$",
    LogicalType.BOOLEAN: r"^([Tt]rue|TRUE|[Ff]alse|FALSE)$",
    LogicalType.DATE: r"^\d{4}-\d{2}-\d{2}$",
    LogicalType.TIME: r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?)?(Z|[+-]\d{2}:?\d{2})?$",
}


def _parse(values: Any, declared: DeclaredType, time_zone: str | None) -> Reconciled:
    """Cells of text, parsed towards the declared type."""
    if declared.arrow is None or declared.logical is LogicalType.TEXT:
        return Reconciled(values)
    pattern = _PATTERNS.get(declared.logical)
    if pattern is None:
        return Reconciled(values, mismatch=f"found text, expected {declared.arrow}, which has no form in text here")
    values = pc.utf8_trim_whitespace(values)
    missing = pc.or_kleene(pc.is_null(values), pc.is_in(values, pa.array(_MISSING_TEXT)))
    values = pc.if_else(missing, pa.scalar(None, pa.string()), values)
    infinite = pc.fill_null(pc.match_substring_regex(values, r"[iI]nf"), fill_value=False)
    shaped = pc.fill_null(pc.match_substring_regex(values, pattern), fill_value=True)
    parsed = _cast_text(pc.if_else(shaped, values, pa.scalar(None, pa.string())), declared, time_zone)
    if pa.types.is_floating(parsed.type):  # a number beyond the largest float is no infinity
        beyond = pc.and_(pc.fill_null(pc.is_inf(parsed), fill_value=False), pc.invert(infinite))
        parsed = pc.if_else(beyond, pa.scalar(None, parsed.type), parsed)
    bad = pc.and_(pc.is_null(parsed), pc.invert(missing))
    positions = np.flatnonzero(np.asarray(bad.to_numpy(zero_copy_only=False) if isinstance(bad, pa.Array) else bad))
    return Reconciled(pa.chunked_array(parsed.chunks, parsed.type), unparsed=positions if positions.size else None)


def _cast_text(values: Any, declared: DeclaredType, time_zone: str | None) -> Any:
    """Cast text that has the right shape; what is still impossible ("2013-02-30") becomes null."""
    if declared.logical is LogicalType.INTEGER:
        values = pc.replace_substring_regex(values, r"^\+", "")

    def cast(part: Any) -> Any:
        if declared.logical is LogicalType.TIME:
            return _cast_times(part, declared.arrow, time_zone)
        return part.cast(declared.arrow, safe=True)

    try:
        return cast(values)
    except pa.ArrowInvalid:
        return _cast_one_by_one(values, declared.arrow, cast)


def _cast_one_by_one(values: Any, target: Any, cast: Callable[[Any], Any]) -> Any:
    encoded = values.combine_chunks().dictionary_encode()
    results = []
    for index in range(len(encoded.dictionary)):
        try:
            results += cast(pa.chunked_array([encoded.dictionary.slice(index, 1)])).chunks
        except pa.ArrowInvalid:
            results.append(pa.nulls(1, target))
    return pa.chunked_array([pa.concat_arrays(results).take(encoded.indices)])


def _cast_times(values: Any, target: Any, time_zone: str | None) -> Any:
    """Text to times: with an offset they are instants; without one they need the declared zone."""
    zoned = pc.fill_null(pc.match_substring_regex(values, r"(Z|[+-]\d{2}:?\d{2})$"), fill_value=False)
    dated = pc.fill_null(pc.match_substring_regex(values, r"^\d{4}-\d{2}-\d{2}$"), fill_value=False)
    zoned = pc.and_(zoned, pc.invert(dated))
    null = pa.scalar(None, pa.string())
    with_zone, without = pc.if_else(zoned, values, null), pc.if_else(zoned, null, values)
    if target.tz is None:
        return without.cast(target, safe=True)
    instants = with_zone.cast(pa.timestamp(target.unit, "UTC"), safe=True).cast(target)
    if time_zone is None:
        return instants
    local = pc.assume_timezone(without.cast(pa.timestamp(target.unit), safe=True), time_zone).cast(target)
    return pc.coalesce(instants, local)
