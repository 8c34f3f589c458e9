"""Rows of a reference that are kept for reports, where the contract allows it with ``keep_sample``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tidegate_contracts.contract import Contract
from tidegate_flows.place import Place
from tidegate_flows.stores.local import replace_durably, writing
from tidegate_monitors.layout import profiled


def sample_path(place: Place, dataset: str, sha256: str) -> Path:
    """Where the sample of a reference is, if one was kept."""
    return place.store.place(dataset, "references") / f"{sha256}.sample.parquet"


class ReferenceSample:
    """Takes rows of each batch of a reference while it is built: equally many of each, no key, no personal column.

    Args:
        contract: Says how many, with ``keep_sample``; without it no row is taken.
        blocks: How many batches there are.
    """

    def __init__(self, contract: Contract, blocks: int) -> None:
        wanted = contract.keep_sample
        self._rows = -(-wanted.rows // max(blocks, 1)) if wanted is not None else 0
        self._rng = np.random.default_rng(wanted.seed if wanted is not None else None)
        columns = contract.columns
        self._names = [n for n in profiled(contract) if not columns[n].personal and n not in contract.key]
        self._most = wanted.rows if wanted is not None else 0
        self._parts: list[Any] = []

    def add(self, table: Any) -> None:
        """Take rows of one batch, a ``pyarrow.Table``."""
        if not self._rows:
            return
        there = table.num_rows
        chosen = np.sort(self._rng.choice(there, min(there, self._rows), replace=False))
        self._parts.append(table.select([name for name in self._names if name in table.column_names]).take(chosen))

    def write(self, place: Place, dataset: str, sha256: str) -> None:
        """Keep what was taken beside the reference; nothing where nothing was.

        Raises:
            StoreError: It cannot be written.
        """
        if not self._parts:
            return
        table = pa.concat_tables(self._parts, promote_options="permissive").slice(0, self._most)
        buffer = pa.BufferOutputStream()
        pq.write_table(table, buffer, write_page_checksum=True)
        path = sample_path(place, dataset, sha256)
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_durably(path, buffer.getvalue().to_pybytes())
