"""One batch, two models."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def mixed_model_versions(table: Any, column: str, version: str, share: float, rng: np.random.Generator) -> Any:
    """Some rows scored by another version, as when one replica was not rolled over; ``share`` of them, in (0, 1]."""
    chosen = pa.array(rng.permutation(table.num_rows) < max(round(share * table.num_rows), 1))
    values = table.column(column)
    mixed = pc.if_else(chosen, pa.scalar(version, values.type), values)
    return table.set_column(table.column_names.index(column), column, mixed)
