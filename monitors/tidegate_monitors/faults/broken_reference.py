"""Rows lose what they point at."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def broken_reference(other: Any, key: str, keys: int, rng: np.random.Generator) -> Any:
    """The other table without some of its keys, as a snapshot that was taken too early."""
    known = pc.unique(other.column(key))
    lost = known.take(pa.array(rng.choice(len(known), keys, replace=False)))
    return other.filter(pc.invert(pc.is_in(other.column(key), value_set=lost)))


def fan_out(other: Any, key: str, value: object) -> Any:
    """The other table with the row of one key twice, as a dimension that keeps its history delivers it."""
    return pa.concat_tables([other, other.filter(pc.equal(other.column(key), value))])
