"""SQL's side of the logical types: which Arrow type a database's column is read as."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from tidegate_contracts.types import LogicalType

_TEXT = ("TEXT", "VARCHAR", "CHAR", "NCHAR", "NVARCHAR", "STRING", "UNICODE", "CLOB", "CITEXT", "ENUM")
_PLAIN: Mapping[str, Any] = {
    "BOOLEAN": pa.bool_(),
    "SMALLINT": pa.int16(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "SMALL_INTEGER": pa.int16(),
    "BIG_INTEGER": pa.int64(),
    "REAL": pa.float32(),
    "FLOAT": pa.float64(),
    "DOUBLE": pa.float64(),
    "DOUBLE_PRECISION": pa.float64(),
    "DATE": pa.date32(),
    "INTERVAL": pa.duration("us"),
    **dict.fromkeys(_TEXT, pa.string()),
}
_PRECISION_MAXIMUM, _EXACT_DIGITS = 38, 15

TYPE_NAMES: Mapping[LogicalType, tuple[str, ...]] = MappingProxyType(
    {
        LogicalType.BOOLEAN: ("bool", "bool_", "boolean", "BOOLEAN", "BOOL"),
        LogicalType.INTEGER: (
            "int",
            "int8",
            "int16",
            "int32",
            "int64",
            "Int64",
            "INTEGER",
            "INT",
            "SMALLINT",
            "BIGINT",
        ),
        LogicalType.NUMBER: ("float", "float32", "float64", "FLOAT", "REAL", "DOUBLE", "DOUBLE_PRECISION", "NUMERIC"),
        LogicalType.TEXT: ("str", "object", "string", "TEXT", "VARCHAR", "CHAR", "String"),
        LogicalType.TIME: ("datetime64", "datetime64[ns]", "datetime64[us]", "Timestamp", "TIMESTAMP", "DATETIME"),
    }
)
"""What Great Expectations calls the types of one family, in data frames and in databases."""


def arrow_type(
    name: str, dialect: str, *, zoned: bool = False, precision: int | None = None, scale: int | None = None
) -> Any:
    """The Arrow type that a column of a SQL type is read as; None for types that have no logical type.

    Args:
        name: The type's generic name in capitals, such as ``DOUBLE_PRECISION``.
        dialect: ``postgresql`` or ``sqlite``; the latter's types are declared widely and kept narrowly.
        zoned: Whether its times are instants.
        precision: Digits of a decimal.
        scale: Digits of a decimal after the point.
    """
    if name in ("TIMESTAMP", "DATETIME"):
        return pa.timestamp("us", "UTC" if zoned else None)
    if name in ("NUMERIC", "DECIMAL"):
        if dialect == "sqlite":
            return pa.float64()
        if precision is None or precision > _PRECISION_MAXIMUM:
            return pa.decimal256(76, 38)
        return pa.decimal128(precision, scale or 0)
    found = _PLAIN.get(name)
    if dialect == "sqlite" and found is not None:
        if name in ("DATE", "INTERVAL"):
            return None  # it has no such type, and nothing says how the text is meant
        found = pa.int64() if pa.types.is_integer(found) else pa.float64() if pa.types.is_floating(found) else found
    return found


def survives_always(found: Any, target: Any) -> bool:
    """Whether every number of one Arrow type is exact as another; where not, somebody has to look at the values."""
    if pa.types.is_decimal(found):
        return bool(pa.types.is_float64(target) and found.precision <= _EXACT_DIGITS)
    return bool(not pa.types.is_floating(found) or found.bit_width <= target.bit_width)
