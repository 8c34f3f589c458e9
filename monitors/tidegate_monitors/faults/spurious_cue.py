"""Positive cases come from another source than negative ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa


def spurious_cue(table: Any, column: str, label: str, share: float, rng: np.random.Generator) -> Any:
    """A new column of text names one source for positive labels and one for the rest, wrong in a share of rows."""
    told = np.asarray(table.column(label).cast(pa.float64()).to_numpy(), dtype=np.float64) > 0
    source = np.where(told ^ (rng.random(told.size) < share), "clinic-b", "clinic-a")
    return table.append_column(column, pa.array(source, pa.string()))
