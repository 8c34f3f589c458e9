"""What arrives: staged first, copied and hashed in one pass; the staged copy is what is checked and published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tidegate_flows.intake.directory import stage_directory
from tidegate_flows.intake.file import stage_file
from tidegate_flows.intake.frame import stage_frame
from tidegate_flows.intake.sql import Query, stage_sql
from tidegate_flows.intake.staged import Staged
from tidegate_flows.intake.url import stage_url
from tidegate_flows.url import is_url, path_of


def stage(delivery: Any, folder: Path, *, name: str | None = None, keep_index: bool = False) -> Staged:
    """Copy a file, a directory of part files or what a URL names, or write a data frame, into a folder of the store.

    Args:
        delivery: A path, a URL, a :class:`Query`, or a pandas, polars or pyarrow table.
        folder: Where to put the copy.
        name: The batch id, if it is not the file's name without suffixes.
        keep_index: Whether the index of a pandas frame is part of the batch, because the contract declares one.

    Raises:
        UsageError: There is no such file, or it is of a kind that cannot be a batch.
        StoreError: The source cannot be read or the copy cannot be written.
    """
    if isinstance(delivery, Query):
        return stage_sql(delivery.url, delivery.statement, folder, name=name)
    if not isinstance(delivery, str | Path):
        return stage_frame(delivery, folder, name, keep_index=keep_index)
    if isinstance(delivery, str) and is_url(delivery):
        if not delivery.lower().startswith("file://"):
            return stage_url(delivery, folder, name)
        delivery = path_of(delivery)
    path = Path(delivery)
    try:
        is_directory = path.is_dir()
    except (OSError, ValueError):  # a name that cannot be one is told as any name that is not there
        is_directory = False
    return stage_directory(path, folder, name) if is_directory else stage_file(path, folder, name)
