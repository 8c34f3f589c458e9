"""Rows of a kind that the model was not made for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def out_of_scope(table: Any, column: str, value: object, rows: int, rng: np.random.Generator) -> Any:
    """Some rows given a value outside the scope, as a new market is switched on before its model."""
    chosen = np.zeros(table.num_rows, dtype=bool)
    chosen[rng.choice(table.num_rows, rows, replace=False)] = True
    values = table.column(column)
    strange = pc.if_else(pa.array(chosen), pa.scalar(value, values.type), values)
    return table.set_column(table.column_names.index(column), column, strange)
