"""One annotator sees what the others do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa


def annotator_bias(table: Any, column: str, label: str, share: float, rng: np.random.Generator) -> Any:
    """Of one annotator, the first in the table, a share of the labels becomes 1."""
    who = np.array(table.column(column).to_pylist(), dtype=object)
    labels = np.array(table.column(label).cast(pa.float64()).to_numpy(), dtype=np.float64)
    turned = (who == who[0]) & np.isfinite(labels) & (rng.random(labels.size) < share)
    labels[turned] = 1.0
    values = pa.array(labels, pa.float64(), from_pandas=True).cast(table.schema.field(label).type)
    return table.set_column(table.column_names.index(label), label, values)
