"""A batch is sent again under another name."""

from __future__ import annotations

from typing import Any


def redelivered_batch(table: Any) -> Any:
    """The same rows; only the name of the delivery differs, which the caller gives."""
    return table.slice(0)
