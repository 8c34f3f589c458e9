"""Rows from long ago are swept along."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def expired_rows(table: Any, column: str, age: timedelta, rows: int, rng: np.random.Generator) -> Any:
    """Some rows' times moved back, as a backfill without a lower bound delivers them."""
    chosen = np.zeros(table.num_rows, dtype=bool)
    chosen[rng.choice(table.num_rows, rows, replace=False)] = True
    values = table.column(column)
    old = pc.if_else(pa.array(chosen), pc.subtract(values, pa.scalar(age)).cast(values.type), values)
    return table.set_column(table.column_names.index(column), column, old)
