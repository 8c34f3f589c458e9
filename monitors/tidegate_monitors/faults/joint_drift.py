"""Each column looks as usual, but they no longer hang together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa


def joint_drift(table: Any, column: str, rng: np.random.Generator) -> Any:
    """A copy in which one column's values stand in other rows, as after a join in the wrong order."""
    place = table.column_names.index(column)
    return table.set_column(place, column, table.column(column).take(pa.array(rng.permutation(table.num_rows))))
