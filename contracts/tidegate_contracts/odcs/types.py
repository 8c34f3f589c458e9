"""The types of columns, in the standard's words and in pandera's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa

from tidegate_contracts.categories import categories_of
from tidegate_contracts.errors import ContractError
from tidegate_contracts.imported_type import Dtype
from tidegate_contracts.odcs.plain import NoForm, plain
from tidegate_contracts.types import LogicalType, declared_type

LOGICAL: Mapping[LogicalType, str] = {
    LogicalType.BOOLEAN: "boolean",
    LogicalType.INTEGER: "integer",
    LogicalType.NUMBER: "number",
    LogicalType.TEXT: "string",
    LogicalType.CATEGORY: "string",
    LogicalType.DATE: "date",
    LogicalType.TIME: "timestamp",
    LogicalType.DURATION: "string",
    LogicalType.ANY: "object",
}
"""The standard's word for each of our families; its JSON schema wants one for every property."""

UNTYPED = "any"
"""The physical type of a column that declares none."""

_DEFAULTS = {
    "boolean": "bool",
    "integer": "int64",
    "number": "float64",
    "string": "str",
    "date": "date32[day][pyarrow]",
    "timestamp": "datetime64[ns]",
}
_PHYSICAL = {
    "boolean": r"bool(ean)?|bit",
    "integer": r"(tiny|small|medium|big)?int(eger)?[248]?|long|short|u?int(8|16|32|64)|(small|big)?serial",
    "number": r"double( precision)?|float[48]?|real|number|numeric|decimal|money",
    "string": r"(n?(var)?char2?|character( varying)?|text|string|uuid|clob|citext)",
    "date": r"date",
    "timestamp": r"timestamp(tz|_ntz|_tz|_ltz)?|datetime2?|timestamp with(out)? time zone",
}


def dtype_of_pandera(dtype: Any) -> Dtype:
    """The type behind a pandera data type.

    Raises:
        NoForm: Its name does not lead back to it.
    """
    if dtype is None:
        return Dtype(None)
    if type(dtype).__module__.startswith("pandera.engines.polars"):
        return _nearest(dtype)
    native: Any = getattr(dtype, "type", None)
    if str(native) == "category":
        categories = None if native.categories is None else tuple(plain(list(native.categories)))
        return Dtype("category", categories, bool(native.ordered))
    for text in ("str", str(dtype)):
        found = Dtype(text)
        if found.is_known and _same(found.value, dtype):
            return found
    raise NoForm(f"the type {dtype}")


def _nearest(dtype: Any) -> Dtype:
    """The type of pandas that is nearest to one of polars: its values may be missing too.

    Raises:
        NoForm: None is near.
    """
    declared = declared_type(dtype)
    arrow, text = declared.arrow, None
    if declared.logical is LogicalType.CATEGORY:
        categories = categories_of(declared.native)
        return Dtype("category", None if categories is None else tuple(categories))
    if declared.logical is LogicalType.TEXT:
        text = "str"
    elif arrow is not None and pa.types.is_boolean(arrow):
        text = "boolean"
    elif arrow is not None and pa.types.is_integer(arrow):
        text = str(arrow).replace("uint", "UInt").replace("int", "Int")
    elif arrow is not None and pa.types.is_floating(arrow):
        text = f"float{arrow.bit_width}"
    elif arrow is not None and pa.types.is_timestamp(arrow):
        text = f"datetime64[{arrow.unit}{f', {arrow.tz}' if arrow.tz else ''}]"
    elif arrow is not None and pa.types.is_duration(arrow):
        text = f"timedelta64[{arrow.unit}]"
    elif arrow is not None and (pa.types.is_date32(arrow) or pa.types.is_decimal128(arrow)):
        text = f"{arrow}[pyarrow]"
    if text is None:
        raise NoForm(f"the type {dtype}")
    return Dtype(text)


def _same(text: Any, dtype: Any) -> bool:
    import pandera.pandas

    try:
        return bool(pandera.pandas.Column(text).dtype == dtype)
    except (TypeError, ValueError, NotImplementedError):
        return False


def dtype_of(logical: str | None, physical: str | None, options: Mapping[str, Any], where: str) -> tuple[Dtype, bool]:
    """The type that a property's words mean, and whether its physical type is taken in full.

    A physical type that is a name of ours is taken where it agrees with the logical type; else the logical type
    decides, or, where there is none, the family of a common name of SQL.

    Raises:
        ContractError: The type's time zone or size is none.
    """
    if physical == UNTYPED and logical in (None, LOGICAL[LogicalType.ANY]):
        return Dtype(None), True
    own = Dtype(physical)
    if physical is not None and own.is_known:
        try:
            if logical in (None, LOGICAL[own.logical]):
                return own, True
        except (TypeError, ValueError, KeyError, ZoneInfoNotFoundError) as error:
            raise ContractError(f"{where}: physicalType", found=repr(physical), allowed="a type that exists") from error
    word = re.sub(r"\s*\(.*\)", "", physical or "").strip().lower()
    family = logical or next((name for name, pattern in _PHYSICAL.items() if re.fullmatch(pattern, word)), None)
    if family == "timestamp":
        return Dtype(_time_type(word, options, where)), False
    return Dtype(_DEFAULTS.get(family or "")), False


def _time_type(word: str, options: Mapping[str, Any], where: str) -> str:
    """A time with its zone; the standard reads times without one as UTC."""
    if options.get("timezone") is False or "without" in word or word.endswith("_ntz"):
        return "datetime64[ns]"
    zone = options.get("defaultTimezone", "UTC")
    zone = "UTC" if zone == "Etc/UTC" else zone
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError) as error:
        raise ContractError(
            f"{where}: defaultTimezone", found=repr(zone), allowed="a name such as 'Europe/Paris'"
        ) from error
    return f"datetime64[us, {zone}]"
