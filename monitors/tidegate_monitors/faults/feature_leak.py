"""A feature is made from the label."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa


def feature_leak(table: Any, column: str, label: str, noise: float, rng: np.random.Generator) -> Any:
    """A column of numbers replaced by the label plus normal noise of a standard deviation; missing with the label."""
    told = np.asarray(table.column(label).cast(pa.float64()).to_numpy(), dtype=np.float64)
    values = told + rng.normal(0, noise, told.size)
    leaked = pa.array(values, pa.float64(), from_pandas=True).cast(table.schema.field(column).type)
    return table.set_column(table.column_names.index(column), column, leaked)
