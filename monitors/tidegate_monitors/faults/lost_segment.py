"""A whole group of rows did not come."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow.compute as pc


def lost_segment(table: Any, column: str, value: object, share: float, rng: np.random.Generator) -> Any:
    """A share of the rows in which a column has some value left out, as a partition that was not written whole."""
    rows = np.flatnonzero(pc.fill_null(pc.equal(table.column(column), value), False).to_numpy())
    kept = np.ones(table.num_rows, dtype=bool)
    kept[rng.choice(rows, math.ceil(share * rows.size), replace=False)] = False
    return table.take(np.flatnonzero(kept))
