"""Answers of a model that cannot be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def invalid_predictions(table: Any, column: str, value: object, rows: int, rng: np.random.Generator) -> Any:
    """Some predictions replaced by one that cannot be: 1.2, infinity, a class that is none, or nothing at all (None).

    Args:
        table: A batch.
        column: Its predictions.
        value: What stands in their place.
        rows: How many.
        rng: Chooses them.
    """
    chosen = np.zeros(table.num_rows, dtype=bool)
    chosen[rng.choice(table.num_rows, rows, replace=False)] = True
    values = table.column(column)
    wrong = pc.if_else(pa.array(chosen), pa.scalar(value, values.type), values)
    return table.set_column(table.column_names.index(column), column, wrong)


def unnormalised_scores(table: Any, columns: tuple[str, ...], rows: int, rng: np.random.Generator) -> Any:
    """The class probabilities of some rows halved, as when a model gives weights before they are made to sum to 1."""
    chosen = np.zeros(table.num_rows, dtype=bool)
    chosen[rng.choice(table.num_rows, rows, replace=False)] = True
    for name in columns:
        values = table.column(name)
        halved = pc.if_else(pa.array(chosen), pc.divide(values, 2.0), values)
        table = table.set_column(table.column_names.index(name), name, halved)
    return table
