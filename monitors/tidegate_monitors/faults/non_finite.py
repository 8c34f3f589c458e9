"""A division by zero upstream."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def non_finite(table: Any, column: str, rows: int, rng: np.random.Generator) -> Any:
    """Some numbers of a column replaced by infinity."""
    chosen = np.zeros(table.num_rows, dtype=bool)
    chosen[rng.choice(table.num_rows, rows, replace=False)] = True
    values = table.column(column)
    infinite = pc.if_else(pa.array(chosen), pa.scalar(float("inf"), values.type), values)
    return table.set_column(table.column_names.index(column), column, infinite)
