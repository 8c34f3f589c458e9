"""The model says the same of every row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa


def class_collapse(table: Any, column: str, rng: np.random.Generator) -> Any:
    """Every prediction replaced by one of them, as a model served with an empty feature vector would say."""
    values = table.column(column).drop_null()
    same = pa.array([values[int(rng.integers(len(values)))].as_py()] * table.num_rows, table.column(column).type)
    return table.set_column(table.column_names.index(column), column, same)
