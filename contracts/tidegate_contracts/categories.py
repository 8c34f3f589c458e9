"""The values that a categorical type declares."""

from __future__ import annotations

from typing import Any


def categories_of(native: Any) -> list[Any] | None:
    """The categories of a pandas or polars type; None where any value may be one."""
    declared = getattr(native, "categories", None)
    return None if declared is None or str(native).startswith("Categorical") else list(declared)
