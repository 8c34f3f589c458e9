"""Rows that did not come out of the model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def lost_predictions(table: Any, column: str, share: float, rng: np.random.Generator) -> Any:
    """One whole block of rows without predictions, as when a worker's part of a scoring job was lost.

    Args:
        table: A batch.
        column: Its predictions.
        share: How much of the batch is lost, in (0, 1].
        rng: Chooses where the block begins.
    """
    rows = max(round(share * table.num_rows), 1)
    start = int(rng.integers(0, table.num_rows - rows + 1))
    places = np.arange(table.num_rows)
    lost = pa.array((places >= start) & (places < start + rows))
    values = table.column(column)
    kept = pc.if_else(lost, pa.scalar(None, values.type), values)
    return table.set_column(table.column_names.index(column), column, kept)
