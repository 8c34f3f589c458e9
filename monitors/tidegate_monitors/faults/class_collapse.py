"""The model says the same of every row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def class_collapse(table: Any, column: str, rng: np.random.Generator) -> Any:
    """Every prediction replaced by one of them, as a model served with an empty feature vector would say."""
    values = table.column(column).drop_null()
    same = pa.array([values[int(rng.integers(len(values)))].as_py()] * table.num_rows, table.column(column).type)
    return table.set_column(table.column_names.index(column), column, same)


def flat_predictions(table: Any, column: str, share: float) -> Any:
    """Every predicted number moved towards the mean of all, leaving a ``share`` of its distance, in [0, 1)."""
    values = table.column(column)
    mean = pc.mean(values).as_py()
    flat = pc.add(pc.multiply(pc.subtract(values, mean), share), mean).cast(values.type)
    return table.set_column(table.column_names.index(column), column, flat)


def favoured_class(table: Any, column: str, name: Any, share: float, rng: np.random.Generator) -> Any:
    """A ``share`` of the rows predicted to be one class, whatever was predicted of them, in (0, 1]."""
    chosen = pa.array(rng.permutation(table.num_rows) < round(share * table.num_rows))
    values = table.column(column)
    one = pc.if_else(chosen, pa.scalar(name, values.type), values)
    return table.set_column(table.column_names.index(column), column, one)
