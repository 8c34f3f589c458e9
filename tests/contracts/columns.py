"""Columns and batches as intake would make them, without a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import pandera.pandas as pr
import pyarrow as pa

import tidegate as tg
from tidegate_contracts.batch import Batch, Source
from tidegate_contracts.types import DeclaredType, declared_type, reconcile

TOLD = {"non_finite", "garbage_values", "blank_records", "duplicate_rows", "poisoning_burst"}
"""Checks of what only looks wrong: told of, while no row fails by them."""


def declared(dtype: Any) -> DeclaredType:
    """The declared type of a pandera column of this dtype."""
    return declared_type(pr.Column(dtype).dtype)


def column(values: Sequence[Any], arrow: Any, chunks: int = 1) -> Any:
    """A chunked array of some values, cut into so many chunks."""
    step = max(1, -(-len(values) // chunks))
    parts = [values[start : start + step] for start in range(0, len(values), step)]
    return pa.chunked_array([pa.array(part, arrow) for part in parts], arrow)


def make_contract(schema: Any, **arguments: Any) -> tg.Contract:
    """A contract that says no more than its schema."""
    return tg.Contract(**({"name": "things", "version": "1.0.0", "owner": "tests", "schema": schema} | arguments))


def make_batch(delivery: Any, contract: tg.Contract, *, text: bool = False) -> Batch:
    """A pandas frame or an arrow table as a batch, each column brought to its declared type."""
    delivered = pa.Table.from_pandas(delivery, preserve_index=False) if isinstance(delivery, pd.DataFrame) else delivery
    delivered = delivered.replace_schema_metadata(None)
    batch = Batch("things", "one", Source("things.parquet", ".parquet", "0" * 64, 0), delivered, delivered)
    table = delivered
    for position, name in enumerate(delivered.column_names):
        meant = contract.column(name)
        if meant is None:
            continue
        result = reconcile(delivered.column(name), meant.type, text=text, time_zone=contract.time_zone)
        table = table.set_column(position, name, result.values)
        if result.cast is not None:
            batch.casts[name] = result.cast
        if result.mismatch is not None:
            batch.mismatches[name] = result.mismatch
        if result.unparsed is not None:
            batch.unparsed[name] = result.unparsed
    return Batch(
        batch.dataset,
        batch.id,
        batch.source,
        table,
        delivered,
        None,
        batch.casts,
        batch.mismatches,
        batch.unparsed,
    )
