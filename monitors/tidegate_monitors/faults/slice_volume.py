"""One slice of a batch is nearly lost, or sent again and again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def slice_volume(table: Any, by: str, value: Any, factor: float, rng: np.random.Generator) -> Any:
    """Rows of one slice drawn until there are ``factor`` times as many; below 1 without repetition."""
    inside = np.asarray(pc.fill_null(pc.equal(table.column(by), value), fill_value=False))
    places = np.flatnonzero(inside)
    drawn = rng.choice(places, round(places.size * factor), replace=factor > 1)
    return table.take(pa.array(np.sort(np.concatenate([np.flatnonzero(~inside), drawn]))))
