"""Values are missing in one group of rows only."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def missingness_by_slice(
    table: Any, column: str, by: str, value: object, share: float, rng: np.random.Generator
) -> Any:
    """A share of a column's values taken away where another column has some value, as one kind of device that fails."""
    rows = np.flatnonzero(pc.fill_null(pc.equal(table.column(by), value), False).to_numpy())
    gone = np.zeros(table.num_rows, dtype=bool)
    gone[rng.choice(rows, math.ceil(share * rows.size), replace=False)] = True
    values = table.column(column)
    left = pc.if_else(pa.array(gone), pa.scalar(None, values.type), values)
    return table.set_column(table.column_names.index(column), column, left)
