"""Part of the population is hardly there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def unrepresentative_sample(table: Any, column: str, value: object, share: float, rng: np.random.Generator) -> Any:
    """Only a share of the rows with one value kept, as a client that stopped reporting would leave them."""
    there = np.asarray(pc.fill_null(pc.equal(table.column(column), value), fill_value=False).to_numpy(), dtype=bool)
    return table.filter(pa.array(~there | (rng.random(table.num_rows) < share)))
