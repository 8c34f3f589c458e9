"""The same case is labelled twice, and not alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa


def conflicting_labels(table: Any, key: str, label: str, share: float, rng: np.random.Generator) -> Any:
    """A share of rows appended under new keys of text, their label 0 where it was 1 and 1 where it was 0."""
    labelled = np.flatnonzero(np.asarray(table.column(label).is_valid()))
    rows = np.sort(rng.choice(labelled, max(1, round(share * labelled.size)), replace=False))
    copies = table.take(pa.array(rows))
    turned = pa.array(1.0 - copies.column(label).cast(pa.float64()).to_numpy())
    keys = pa.array([f"again-{number}" for number in range(rows.size)], table.schema.field(key).type)
    copies = copies.set_column(copies.column_names.index(label), label, turned.cast(table.schema.field(label).type))
    copies = copies.set_column(copies.column_names.index(key), key, keys)
    return pa.concat_tables([table, copies]).combine_chunks()
