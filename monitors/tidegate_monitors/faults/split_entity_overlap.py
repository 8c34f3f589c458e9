"""The split is made by rows where it should be made by people."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa


def split_entity_overlap(train: Any, test: Any, column: str, share: float, rng: np.random.Generator) -> Any:
    """TEST in which a share of rows is about entities of TRAIN."""
    values = np.array(test.column(column).to_pylist(), dtype=object)
    rows = rng.choice(values.size, max(1, round(share * values.size)), replace=False)
    known = rng.choice(train.num_rows, rows.size)
    values[rows] = train.column(column).take(pa.array(known)).to_pylist()
    return test.set_column(test.column_names.index(column), column, pa.array(values, test.schema.field(column).type))
