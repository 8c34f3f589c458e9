"""The narrowest type that every present value of a column survives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tidegate_contracts.types import ANY, DeclaredType, LogicalType, reconcile


@dataclass(frozen=True, slots=True)
class Dtype:
    """A data type as a contract declares it.

    Attributes:
        source: How it is written; None where it is left open.
        declared: What it means.
    """

    source: str | None
    declared: DeclaredType


class Form(StrEnum):
    """What the text of a file may stand for.

    Attributes:
        TYPED: Text is text, as in parquet.
        TIMES: Text is text, or a time, as in JSON.
        CELLS: Everything is written as text, as in CSV.
    """

    TYPED = "typed"
    TIMES = "times"
    CELLS = "cells"


@dataclass(frozen=True, slots=True)
class Part:
    """One column of one file, as it was decoded.

    Attributes:
        values: A ``pyarrow.ChunkedArray``.
        form: What its text may stand for.
    """

    values: Any
    form: Form

    @property
    def cells(self) -> bool:
        """Whether its values were written as text."""
        return self.form is Form.CELLS and (pa.types.is_string(self.values.type) or _is_null(self))

    def may_be(self, logical: LogicalType) -> bool:
        """Whether its text may stand for values of a family."""
        return self.cells or (
            self.form is Form.TIMES and logical is LogicalType.TIME and pa.types.is_string(self.values.type)
        )


def _zoned(unit: str) -> Dtype:
    declared = DeclaredType(LogicalType.TIME, pa.timestamp(unit, "UTC"), pd.DatetimeTZDtype(unit, "UTC"))  # type: ignore[call-overload] # the stubs want a literal
    return Dtype(f'pd.DatetimeTZDtype("{unit}", "UTC")', declared)


def _arrow(source: str, logical: LogicalType, arrow: Any) -> Dtype:
    return Dtype(f"pd.ArrowDtype(pyarrow.{source})", DeclaredType(logical, arrow, pd.ArrowDtype(arrow)))


def _numpy(source: str, logical: LogicalType, name: str) -> Dtype:
    native = np.dtype(name)
    return Dtype(source, DeclaredType(logical, pa.from_numpy_dtype(native), native))


OPEN = Dtype(None, ANY)
TEXT = Dtype("str", DeclaredType(LogicalType.TEXT, pa.string(), pd.StringDtype()))
_WHOLE = _numpy("int", LogicalType.INTEGER, "int64")
_NUMBER = _numpy("float", LogicalType.NUMBER, "float64")
_NARROWEST_FIRST = (
    _numpy("bool", LogicalType.BOOLEAN, "bool"),
    _WHOLE,
    _numpy('"uint64"', LogicalType.INTEGER, "uint64"),
    _NUMBER,
    _zoned("us"),
    _zoned("ns"),
    _numpy('"datetime64[ns]"', LogicalType.TIME, "datetime64[ns]"),
    _arrow('timestamp("us")', LogicalType.TIME, pa.timestamp("us")),
    _arrow('timestamp("s")', LogicalType.TIME, pa.timestamp("s")),
    _arrow("date32()", LogicalType.DATE, pa.date32()),
    _numpy('"timedelta64[ns]"', LogicalType.DURATION, "timedelta64[ns]"),
    TEXT,
)
_LEADING_ZERO_OR_PLUS = r"^\s*([+]|-?0[0-9])"


def narrowest(parts: Sequence[Part]) -> tuple[Dtype, tuple[Any, ...]]:
    """The narrowest type of a column, and its values in that type, one ``pyarrow.ChunkedArray`` a part.

    Text that stands for values is read as numbers or times only where nothing is lost: ``001`` stays text.
    """
    if all(part.values.null_count == len(part.values) and (part.cells or _is_null(part)) for part in parts):
        return OPEN, tuple(pa.chunked_array([pa.nulls(len(part.values))]) for part in parts)
    for dtype in _NARROWEST_FIRST:
        values = _as(dtype, parts)
        if values is not None:
            return dtype, values
    return OPEN, tuple(part.values for part in parts)


def _is_null(part: Part) -> bool:
    return bool(pa.types.is_null(part.values.type))


def _as(dtype: Dtype, parts: Sequence[Part]) -> tuple[Any, ...] | None:
    """All parts in a type, or None where one of them does not survive."""
    brought = []
    for part in parts:
        values = _brought(dtype, part)
        if values is None:
            return None
        brought.append(values)
    # words for "missing" are read as missing only where something else is there to be read
    nothing = dtype is not TEXT and all(values.null_count == len(values) for values in brought)
    return None if nothing and any(part.cells for part in parts) else tuple(brought)


def _brought(dtype: Dtype, part: Part) -> Any:
    logical = dtype.declared.logical
    if part.cells and logical in (LogicalType.INTEGER, LogicalType.NUMBER) and _is_code(part):
        return None
    try:
        found = reconcile(part.values, dtype.declared, text=part.may_be(logical))
    except pa.ArrowNotImplementedError:  # a type that Arrow itself cannot compare, such as half floats
        return None
    lost = part.form is Form.TIMES and found.values.null_count > part.values.null_count  # in JSON, "NA" is a text
    if lost or found.mismatch is not None or found.unparsed is not None:
        return None
    return found.values.cast(dtype.declared.arrow)


def _is_code(part: Part) -> bool:
    """Whether text looks like numbers but is not written as one writes numbers, so that something would be lost."""
    values = part.values
    if _is_null(part):
        return False
    coded = pc.any(pc.match_substring_regex(values, _LEADING_ZERO_OR_PLUS)).as_py()
    if coded:
        return True
    digits = pc.filter(
        values, pc.fill_null(pc.match_substring_regex(values, r"^\s*-?[0-9]{16,}\s*$"), fill_value=False)
    )
    return any(abs(int(text)) > 2**53 for text in digits.to_pylist()) and not _all_whole(values)


def _all_whole(values: Any) -> bool:
    return bool(pc.all(pc.match_substring_regex(values, r"^\s*-?[0-9]{1,19}\s*$")).as_py())
