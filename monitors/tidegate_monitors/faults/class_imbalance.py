"""Nearly all rows of one class are lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa


def class_imbalance(table: Any, label: str, value: object, keep: int, rng: np.random.Generator) -> Any:
    """All rows of a class but some, chosen at random, are taken out."""
    rows = np.flatnonzero(np.asarray([item == value for item in table.column(label).to_pylist()]))
    lost = rng.permutation(rows)[keep:]
    return table.take(pa.array(np.setdiff1d(np.arange(table.num_rows), lost)))
