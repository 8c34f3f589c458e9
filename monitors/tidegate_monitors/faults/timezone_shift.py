"""All times are off by some hours."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def timezone_shift(table: Any, column: str, hours: int) -> Any:
    """Every time of a column moved by some hours, as local times do that were written as if they were UTC."""
    values = table.column(column)
    moved = pc.add(values.cast(pa.int64()), pa.scalar(hours * _steps(values.type.unit), pa.int64()))
    return table.set_column(table.column_names.index(column), column, moved.cast(values.type))


def _steps(unit: str) -> int:
    """Steps of a unit of time in an hour."""
    return 3600 * {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
