"""Far fewer or far more rows than usual."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa


def volume(table: Any, factor: float, rng: np.random.Generator) -> Any:
    """Rows drawn from the table until there are ``factor`` times as many; below 1 without repetition."""
    rows = rng.choice(table.num_rows, round(table.num_rows * factor), replace=factor > 1)
    return table.take(pa.array(np.sort(rows)))
