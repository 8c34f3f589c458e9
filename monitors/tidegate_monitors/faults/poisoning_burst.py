"""Somebody sends made-up rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pyarrow as pa


def poisoning_burst(table: Any, keys: Collection[str], share: float, rng: np.random.Generator) -> Any:
    """One row sent over and over, under new keys, until it makes up a share of the table."""
    count = round(table.num_rows * share / (1 - share))
    copies = table.take(pa.array([int(rng.integers(table.num_rows))] * count))
    for name in keys:
        fresh = pa.array([f"{name}-{number:06d}" for number in range(count)], table.column(name).type)
        copies = copies.set_column(table.column_names.index(name), name, fresh)
    return pa.concat_tables([table, copies]).combine_chunks()


def edge_burst(table: Any, bounds: Mapping[str, tuple[float, float]], rows: int, rng: np.random.Generator) -> Any:
    """Some rows with each bounded column on one of its edges, as somebody probes the limits of what is accepted."""
    chosen = rng.choice(table.num_rows, rows, replace=False)
    for name, edges in bounds.items():
        values = np.array(table.column(name).to_numpy(), dtype=np.float64)
        values[chosen] = rng.choice(edges, rows)
        column = pa.array(values, table.column(name).type, from_pandas=True)
        table = table.set_column(table.column_names.index(name), name, column)
    return table
