"""Times as instants: one unit and one zone, so that columns of any declaration can be compared."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from tidegate_contracts.batch import utc
from tidegate_contracts.types import LogicalType, logical_type

INSTANT = pa.timestamp("us", "UTC")


def instants(values: Any, zone: ZoneInfo) -> Any:
    """A column of times or days as instants, microseconds in UTC; None where it is no such column.

    Args:
        values: A ``pyarrow.ChunkedArray``, or None.
        zone: The zone in which naive times are read; an hour that occurs twice is taken to be the earlier. A day is
            the moment at which it begins there.
    """
    if values is None or logical_type(values.type) not in (LogicalType.TIME, LogicalType.DATE):
        return None
    if pa.types.is_date(values.type):
        values = values.cast(pa.timestamp("s"))
    if values.type.tz is None:
        values = pc.assume_timezone(values, str(zone), ambiguous="earliest", nonexistent="earliest")
    return values.cast(INSTANT, safe=False)


def instant(moment: datetime) -> Any:
    """A moment as a scalar that can be compared with :func:`instants`."""
    return pa.scalar(utc(moment), INSTANT)
