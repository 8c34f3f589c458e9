"""What was seen of one column, in all files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tidegate_contracts.guesses.dtype import Dtype
from tidegate_contracts.types import LogicalType

_EXACT = frozenset({LogicalType.TEXT, LogicalType.INTEGER, LogicalType.TIME, LogicalType.DATE, LogicalType.BOOLEAN})
_COUNTABLE = _EXACT | {LogicalType.NUMBER, LogicalType.DURATION}


@dataclass(frozen=True)
class Evidence:
    """What was seen of one column.

    Attributes:
        name: Its name.
        dtype: Its narrowest type.
        parts: A ``pyarrow.ChunkedArray`` of that type for each file that has it.
        files: How many files there are.
    """

    name: str
    dtype: Dtype
    parts: tuple[Any, ...]
    files: int

    @property
    def logical(self) -> LogicalType:
        """The family of its values."""
        return self.dtype.declared.logical

    @cached_property
    def rows(self) -> int:
        """How many rows were seen."""
        return sum(len(part) for part in self.parts)

    @cached_property
    def present(self) -> Any:
        """Its values without the missing ones as a ``pyarrow.ChunkedArray``; none where the type is left open."""
        chunks = [chunk for part in self.parts for chunk in part.chunks if self.logical is not LogicalType.ANY]
        values = pa.chunked_array(chunks, self.dtype.declared.arrow or pa.null()).drop_null()
        return values.filter(pc.invert(pc.is_nan(values))) if pa.types.is_floating(values.type) else values

    @cached_property
    def missing(self) -> int:
        """How many values were missing: null, or not a number."""
        return sum(_missing(part) for part in self.parts)

    @property
    def everywhere(self) -> bool:
        """Whether every file has the column."""
        return len(self.parts) == self.files

    @cached_property
    def counts(self) -> tuple[Any, npt.NDArray[np.int64]]:
        """The distinct values (an Arrow array) and the rows of each, the most frequent first; none of nested values."""
        if self.logical not in _COUNTABLE:
            return pa.nulls(0), np.zeros(0, dtype=np.int64)
        table = pa.table({"value": self.present}).group_by("value").aggregate([([], "count_all")])
        table = table.sort_by([("count_all", "descending"), ("value", "ascending")])
        return table.column("value").combine_chunks(), table.column("count_all").to_numpy()

    @property
    def distinct(self) -> int:
        """How many distinct values there are; 0 of nested ones."""
        return len(self.counts[0])

    @cached_property
    def unique(self) -> bool:
        """Whether no value is missing and each file has each value once; never true of fractions."""
        if self.logical not in _EXACT or self.missing or not self.everywhere:
            return False
        return all(pc.count_distinct(part).as_py() == len(part) for part in self.parts)

    @cached_property
    def numbers(self) -> npt.NDArray[Any]:
        """The values that are finite numbers, sorted; shape (values,)."""
        values = self.present.to_numpy()
        values = values[np.isfinite(values)] if values.dtype.kind == "f" else values
        return np.sort(values)

    @property
    def infinite(self) -> int:
        """How many values are infinite."""
        return len(self.present) - len(self.numbers)


def _missing(part: Any) -> int:
    nans = np.isnan(part.drop_null().to_numpy()).sum() if pa.types.is_floating(part.type) else 0
    return int(part.null_count + nans)
