"""Two columns have changed places."""

from __future__ import annotations

from typing import Any


def swapped_columns(table: Any, one: str, other: str) -> Any:
    """The values of two columns of one type exchanged, as a header does that is not in the order of its file."""
    first, second = table.column(one), table.column(other)
    table = table.set_column(table.column_names.index(one), one, second.cast(first.type))
    return table.set_column(table.column_names.index(other), other, first.cast(second.type))
