"""A feature is computed in one way for training and in another for serving."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def training_serving_skew(table: Any, column: str, share: float, rng: np.random.Generator) -> Any:
    """A share of a column's values is 0, as where the service has no value and fills it."""
    zero = pa.array(rng.random(table.num_rows) < share)
    values = pc.if_else(zero, pa.scalar(0).cast(table.schema.field(column).type), table.column(column))
    return table.set_column(table.column_names.index(column), column, values)
