"""The removal of people who opted out is forgotten."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def suppressed_people(table: Any, column: str, people: int, rng: np.random.Generator) -> tuple[Any, frozenset[str]]:
    """The table as it is, with the sha256 of some of its people as the list of those who should not be there."""
    known = pc.unique(table.column(column).drop_null()).cast(pa.string()).to_pylist()
    chosen = rng.choice(len(known), people, replace=False)
    return table.slice(0), frozenset(hashlib.sha256(known[index].encode()).hexdigest() for index in chosen)
