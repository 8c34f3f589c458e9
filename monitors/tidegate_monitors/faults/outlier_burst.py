"""Extreme values in a bunch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def outlier_burst(
    table: Any,
    column: str,
    factor: float,
    rows: int,
    rng: np.random.Generator,
    *,
    by: str | None = None,
    value: Any = None,
) -> Any:
    """Some values far too large, each in its own way, as from one broken sensor.

    Args:
        table: A batch.
        column: A column of numbers.
        factor: By how much, at least; at most by twice as much.
        rows: How many.
        rng: Chooses the rows.
        by: Where given, only rows with this column's ``value`` are chosen, and all of them if there are fewer.
        value: See ``by``.
    """
    there = np.ones(table.num_rows, dtype=bool)
    if by is not None:
        there = np.asarray(pc.fill_null(pc.equal(table.column(by), value), fill_value=False))
    places = np.flatnonzero(there)
    factors = np.ones(table.num_rows)
    chosen = rng.choice(places, min(rows, places.size), replace=False)
    factors[chosen] = factor * (1 + rng.random(chosen.size))
    values = table.column(column)
    changed = pc.multiply(values.cast(pa.float64()), pa.array(factors)).cast(values.type, safe=False)
    return table.set_column(table.column_names.index(column), column, changed)
