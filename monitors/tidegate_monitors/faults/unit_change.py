"""The unit of a column changes."""

from __future__ import annotations

from typing import Any

import pyarrow.compute as pc


def unit_change(table: Any, column: str, factor: float, offset: float = 0.0) -> Any:
    """Every value of a column multiplied by a factor and moved by an offset, rounded as a new source would round it."""
    values = pc.round(pc.add(pc.multiply(table.column(column), factor), offset))
    return table.set_column(table.column_names.index(column), column, values.cast(table.column(column).type))
