"""Records with nothing in them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def blank_records(table: Any, columns: Collection[str], rows: int, rng: np.random.Generator) -> Any:
    """Some rows with every feature zero, or missing where it is no number, as a sensor that lost its supply sends."""
    chosen = np.zeros(table.num_rows, dtype=bool)
    chosen[rng.choice(table.num_rows, rows, replace=False)] = True
    for name in columns:
        values = table.column(name)
        is_number = pa.types.is_floating(values.type) or pa.types.is_integer(values.type)
        nothing = pa.scalar(0).cast(values.type) if is_number else pa.scalar(None, values.type)
        blank = pc.if_else(pa.array(chosen), nothing, values)
        table = table.set_column(table.column_names.index(name), name, blank)
    return table
