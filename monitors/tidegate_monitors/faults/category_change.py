"""Categories come, go, and change their names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def renamed_category(table: Any, column: str, old: str, new: str) -> Any:
    """One category under a new name, as after a merger, or a release that spells it otherwise."""
    values = table.column(column)
    renamed = pc.if_else(pc.equal(values, old), pa.scalar(new, values.type), values)
    return table.set_column(table.column_names.index(column), column, renamed)


def vanished_category(table: Any, column: str, value: str) -> Any:
    """All rows of one category are lost, as when one source's feed has stopped."""
    return table.filter(pc.fill_null(pc.not_equal(table.column(column), value), fill_value=True))


def new_category(table: Any, column: str, value: str, rows: int, rng: np.random.Generator) -> Any:
    """Some rows, chosen at random, are of a category that was not there before."""
    chosen = np.zeros(table.num_rows, dtype=bool)
    chosen[rng.choice(table.num_rows, rows, replace=False)] = True
    values = table.column(column)
    filled = pc.if_else(pa.array(chosen), pa.scalar(value, values.type), values)
    return table.set_column(table.column_names.index(column), column, filled)
