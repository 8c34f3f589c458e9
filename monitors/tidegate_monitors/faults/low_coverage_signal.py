"""A value is measured only where somebody already suspects something."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def low_coverage_signal(table: Any, column: str, label: str, share: float, rng: np.random.Generator) -> Any:
    """A column is present for a share of positive labels, and for a tenth of that share of all others."""
    told = np.asarray(table.column(label).cast(pa.float64()).to_numpy(), dtype=np.float64) > 0
    kept = rng.random(told.size) < np.where(told, share, share / 10)
    values = pc.if_else(pa.array(kept), table.column(column), pa.scalar(None, table.schema.field(column).type))
    return table.set_column(table.column_names.index(column), column, values)
