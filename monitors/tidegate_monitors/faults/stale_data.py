"""An old export is sent again as if it were new."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def stale_data(table: Any, column: str, age: timedelta) -> Any:
    """Every time of a column moved back, as a job does that reads yesterday's snapshot; the file itself is new."""
    earlier = pc.subtract(table.column(column), pa.scalar(age)).cast(table.column(column).type)
    return table.set_column(table.column_names.index(column), column, earlier)
