"""A batch is sent while its source is still being written."""

from __future__ import annotations

from typing import Any


def incomplete_upstream(table: Any, share: float) -> Any:
    """Only the first rows, up to a share of them; the manifest that was written for the whole no longer fits."""
    return table.slice(0, int(table.num_rows * share))
