"""A feature is sent twice under two names, in two units."""

from __future__ import annotations

from typing import Any

import pyarrow.compute as pc


def redundant_feature(table: Any, column: str, other: str, factor: float) -> Any:
    """A column of floats becomes another one times a factor."""
    values = pc.multiply(table.column(other), factor).cast(table.schema.field(column).type)
    return table.set_column(table.column_names.index(column), column, values)
