"""A data frame of one's own process, staged as parquet."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tidegate_contracts.batch import Source, batch_id
from tidegate_contracts.errors import UsageError
from tidegate_flows.intake.staged import Staged
from tidegate_flows.stores.local import copy_hashed, writing


def stage_frame(delivery: Any, folder: Path, name: str | None, *, keep_index: bool = False) -> Staged:
    """Write a frame into a folder of the store; the index of a pandas frame goes with it only where it is asked for.

    Raises:
        UsageError: It has no form as parquet.
        StoreError: It cannot be written.
    """
    table, frame = _as_table(delivery, keep_index=keep_index)
    buffer = io.BytesIO()
    try:
        table.validate(full=True)
        pq.write_table(table, buffer, write_page_checksum=True)
    except (pa.ArrowException, ValueError) as error:
        raise UsageError(f"this {frame} frame has no parquet form", found=str(error)) from error
    buffer.seek(0)
    with writing(folder):
        digest, size = copy_hashed(buffer, folder / "batch.parquet")
    identity = batch_id(name) if name is not None else f"frame-{digest[:16]}"
    source = Source(f"{frame} frame", ".parquet", digest, size)
    return Staged(folder / "batch.parquet", source, identity, frame, own=True)


def _as_table(delivery: Any, *, keep_index: bool) -> tuple[Any, str]:
    kind = type(delivery).__module__.partition(".")[0]
    try:
        if kind == "pandas" and hasattr(delivery, "columns"):
            return pa.Table.from_pandas(delivery, preserve_index=keep_index).replace_schema_metadata(None), "pandas"
        if kind == "polars" and hasattr(delivery, "to_arrow") and hasattr(delivery, "columns"):
            return delivery.to_arrow(), "polars"
        if isinstance(delivery, pa.Table):
            return delivery, "arrow"
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise UsageError(f"this {kind} frame has no Arrow form", found=str(error)) from error
    raise UsageError(
        "a batch cannot be of this type",
        found=type(delivery).__name__,
        allowed="a path, a URL, or a pandas, polars or pyarrow table",
        hint="collect a lazy frame first",
    )
