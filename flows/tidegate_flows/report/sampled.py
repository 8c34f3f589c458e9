"""Bounded samples of rows for Evidently: of a batch, and of what its reference was built from.

Columns that hold personal data, and keys, are in none of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tidegate_contracts.contract import Contract
from tidegate_contracts.types import plain_values, reconcile
from tidegate_flows.ledger import runs
from tidegate_flows.place import Place
from tidegate_flows.report.reference_sample import sample_path
from tidegate_monitors.breaker import Decision
from tidegate_monitors.layout import profiled
from tidegate_monitors.reference import Reference

ROWS_MAXIMUM = 5000
_SEED = 20_130_101
_BATCH_ROWS = 1 << 16


def shown(contract: Contract) -> list[str]:
    """The columns whose values may be shown."""
    return [name for name in profiled(contract) if not contract.columns[name].personal and name not in contract.key]


def of_table(table: Any, contract: Contract, rows: int = ROWS_MAXIMUM) -> Any:
    """At most so many rows of a ``pyarrow.Table``, in their order; always the same ones."""
    names = [name for name in shown(contract) if name in table.column_names]
    return table.select(names).take(_chosen(table.num_rows, rows))


def of_files(files: Sequence[Path], contract: Contract, rows: int = ROWS_MAXIMUM) -> Any:
    """At most so many rows of published files, read part by part; always the same ones.

    Raises:
        OSError: A file cannot be read.
        pyarrow.ArrowException: It is no parquet.
    """
    chosen = _chosen(sum(pq.read_metadata(path).num_rows for path in files), rows)
    parts, begin = [], 0
    for part in _parts(files, shown(contract)):
        here = chosen[(chosen >= begin) & (chosen < begin + part.num_rows)] - begin
        begin += part.num_rows
        if here.size:
            parts.append(_typed(part.take(here), contract))
    return pa.concat_tables(parts, promote_options="permissive") if parts else pa.table({})


def of_reference(place: Place, contract: Contract, reference: Reference | None) -> tuple[Any, str]:
    """Rows of what a reference was built from; or None, and why.

    They are in a sample that was kept when it was built, where the contract says so with ``keep_sample``; else in the
    published files of its batches, where all of them were published here.
    """
    if reference is None:
        return None, "the batch was held against no reference"
    path = sample_path(place, reference.dataset, reference.sha256)
    if path.is_file():
        return of_table(pq.read_table(path), contract), ""
    files: list[Path] = []
    with place.ledger.read() as connection:
        for block in reference.blocks:
            row = runs.speaking_for(connection, reference.dataset, block.batch)
            same = row is not None and row.fingerprint == str(block.profile.fingerprint)
            if row is None or not same or row.decision != Decision.PUBLISH.value:
                return None, (
                    "no row of the reference is kept: its contract has no keep_sample, or had none when it was built, "
                    "and not all of its batches were published here"
                )
            files += (place.store.root / name for name in json.loads(row.files))
    return of_files(files, contract), ""


def _parts(files: Sequence[Path], wanted: Sequence[str]) -> Iterator[Any]:
    for path in files:
        with pq.ParquetFile(path) as file:
            names = [name for name in wanted if name in file.schema_arrow.names]
            for batch in file.iter_batches(_BATCH_ROWS, columns=names):
                yield pa.Table.from_batches([batch])


def _typed(table: Any, contract: Contract) -> Any:
    """In the contract's types, however the file has them."""
    found = {}
    for name in table.column_names:
        declared = contract.columns[name].type
        found[name] = plain_values(reconcile(table.column(name), declared, time_zone=contract.time_zone).values)
    return pa.table(found)


def _chosen(there: int, wanted: int) -> Any:
    if there <= wanted:
        return np.arange(there)
    return np.sort(np.random.default_rng(_SEED).choice(there, wanted, replace=False))
