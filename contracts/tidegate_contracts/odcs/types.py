"""The types of columns, in the standard's words and in pandera's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tidegate_contracts.errors import ContractError
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
_OURS = re.compile(
    r"bool|boolean|str|string\[(?:python|pyarrow)\]|arrow_string|category|object"
    r"|(?:u?int|U?Int)(?:8|16|32|64)|[fF]loat(?:32|64)|float16"
    r"|(?:u?int(?:8|16|32|64)|float|double|bool|date32\[day\])\[pyarrow\]"
    r"|datetime64\[(?:s|ms|us|ns)(?:, [A-Za-z0-9_+/-]{1,64})?\]|timedelta64\[(?:s|ms|us|ns)\]"
)
_ARROW_TIME = re.compile(r"timestamp\[(s|ms|us|ns)(?:, tz=([A-Za-z0-9_+/-]{1,64}))?\]\[pyarrow\]")
_ARROW_DECIMAL = re.compile(r"decimal128\((\d{1,2}), (\d{1,2})\)\[pyarrow\]")


@dataclass(frozen=True, slots=True)
class Dtype:
    """A pandera data type that can be written down.

    Attributes:
        text: Its name, which pandera or pandas understands; None declares no type.
        categories: The categories of a categorical type.
        ordered: Whether they have an order.
    """

    text: str | None
    categories: tuple[Any, ...] | None = None
    ordered: bool = False

    @classmethod
    def of_pandera(cls, dtype: Any) -> Dtype:
        """The type behind a pandera data type.

        Raises:
            NoForm: Its name does not lead back to it.
        """
        if dtype is None:
            return cls(None)
        native: Any = getattr(dtype, "type", None)
        if str(native) == "category":
            categories = None if native.categories is None else tuple(plain(list(native.categories)))
            return cls("category", categories, bool(native.ordered))
        for text in ("str", str(dtype)):
            found = cls(text)
            if found.is_known and _same(found.value, dtype):
                return found
        raise NoForm(f"the type {dtype}")

    @property
    def is_known(self) -> bool:
        """Whether the name is one that we write."""
        patterns = (_OURS, _ARROW_TIME, _ARROW_DECIMAL)
        return self.text is None or any(pattern.fullmatch(self.text) for pattern in patterns)

    @property
    def value(self) -> Any:
        """What ``pandera.Column`` takes."""
        if self.categories is not None:
            import pandas as pd

            return pd.CategoricalDtype(list(self.categories), ordered=self.ordered)
        if self.arrow is None:
            return self.text
        import pandas as pd
        import pyarrow

        name, arguments = self.arrow
        return pd.ArrowDtype(getattr(pyarrow, name)(*arguments))

    @property
    def arrow(self) -> tuple[str, tuple[Any, ...]] | None:
        """The function of pyarrow and its arguments, where pandas cannot read the type's name."""
        if self.text is None:
            return None
        if match := _ARROW_TIME.fullmatch(self.text):
            return "timestamp", tuple(part for part in match.groups() if part)
        if match := _ARROW_DECIMAL.fullmatch(self.text):
            return "decimal128", tuple(map(int, match.groups()))
        return None

    @property
    def logical(self) -> LogicalType:
        """Its family."""
        import pandera.pandas as pa

        return declared_type(pa.Column(self.value).dtype).logical

    @property
    def zone(self) -> str | None:
        """The time zone of a time."""
        match = re.search(r", (?:tz=)?([^\]]+)\]", self.text or "")
        return match.group(1) if match and self.logical is LogicalType.TIME else None


def _same(text: Any, dtype: Any) -> bool:
    import pandera.pandas as pa

    try:
        return bool(pa.Column(text).dtype == dtype)
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
