"""Predictions move."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def prediction_drift(table: Any, column: str, logits: float, *, by: str | None = None, value: Any = None) -> Any:
    """Every predicted probability moved on the scale of log odds, as when a feature of the model has changed.

    Args:
        table: A batch.
        column: Its predicted probabilities.
        logits: By how much.
        by: Where given, only rows with this column's ``value`` are moved.
        value: See ``by``.
    """
    values = table.column(column)
    odds = np.asarray(pc.divide(values, pc.subtract(1.0, values)).to_numpy()) * np.exp(logits)
    moved = pa.array(np.where(np.isinf(odds), 1.0, odds / (1 + odds)), from_pandas=True).cast(values.type)
    if by is not None:
        inside = pc.fill_null(pc.equal(table.column(by), value), fill_value=False)
        moved = pc.if_else(inside, moved, values)
    return table.set_column(table.column_names.index(column), column, moved)
