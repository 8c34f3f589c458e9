"""Values that were lost are filled in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def imputed_values(table: Any, column: str, rows: int, rng: np.random.Generator) -> Any:
    """Some values replaced by the mean of the column, as a job does that hides what it could not read."""
    chosen = np.zeros(table.num_rows, dtype=bool)
    chosen[rng.choice(table.num_rows, rows, replace=False)] = True
    values = table.column(column)
    mean = pa.scalar(pc.mean(values).as_py()).cast(values.type, safe=False)
    return table.set_column(table.column_names.index(column), column, pc.if_else(pa.array(chosen), mean, values))
