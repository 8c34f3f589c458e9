"""Values are cut off at a limit."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def clipped_values(table: Any, column: str, share: float) -> Any:
    """The largest values, a share of them, replaced by the limit that they exceed, as a full register does."""
    values = table.column(column)
    limit = pc.quantile(values, 1 - share, interpolation="lower")[0].as_py()
    clipped = pc.min_element_wise(values, pa.scalar(limit, values.type), skip_nulls=False)
    return table.set_column(table.column_names.index(column), column, clipped)
