"""Rows of TRAIN find their way into TEST."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa


def split_duplicates(train: Any, test: Any, key: str, share: float, rng: np.random.Generator) -> Any:
    """TEST with some rows of TRAIN, a share of its own number, appended under new keys of text."""
    rows = rng.choice(train.num_rows, max(1, round(share * test.num_rows)), replace=False)
    copies = train.take(pa.array(np.sort(rows)))
    keys = pa.array([f"copy-{number}" for number in range(copies.num_rows)], train.schema.field(key).type)
    copies = copies.set_column(copies.column_names.index(key), key, keys)
    return pa.concat_tables([test, copies.select(test.column_names)]).combine_chunks()
