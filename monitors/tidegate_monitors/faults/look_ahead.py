"""A feature from after the prediction."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def look_ahead(
    table: Any, column: str, prediction_time: str, lead: timedelta, rows: int, rng: np.random.Generator
) -> Any:
    """Some rows' feature time set after their prediction, as a join on the latest state instead of the state then."""
    chosen = np.zeros(table.num_rows, dtype=bool)
    chosen[rng.choice(table.num_rows, rows, replace=False)] = True
    values = table.column(column)
    later = pc.add(table.column(prediction_time), pa.scalar(lead)).cast(values.type)
    return table.set_column(table.column_names.index(column), column, pc.if_else(pa.array(chosen), later, values))
