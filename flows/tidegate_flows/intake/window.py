"""When a batch's events happened, and when it counts as having come."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tidegate_contracts.batch import Batch, Window
from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import UsageError


def window_of(table: Any, contract: Contract) -> Window | None:
    """The span of a table's event times; None without one. A day is the moment at which it begins."""
    name = contract.event_time
    if name is None or name not in table.column_names:
        return None
    times = table.column(name)
    if pa.types.is_date(times.type):
        times = times.cast(pa.timestamp("s"))
    if not pa.types.is_timestamp(times.type):
        return None
    bounds = pc.min_max(times)
    # a time that Python cannot hold gives no window; its rows are checked all the same
    with suppress(OverflowError, ValueError):
        low, high = (_instant(bounds[end], contract) for end in ("min", "max"))
        return Window(low, high + timedelta(microseconds=1)) if low is not None and high is not None else None
    return None


def _instant(bound: Any, contract: Contract) -> datetime | None:
    """A time rounded down to a microsecond, in UTC; a naive one is in the contract's zone."""
    if not bound.is_valid:
        return None
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[bound.type.unit]
    moment = datetime(1970, 1, 1) + timedelta(microseconds=bound.value * 10**6 // per_second)  # noqa: DTZ001 - below
    zone = contract.zone if bound.type.tz is None else UTC
    return moment.replace(tzinfo=zone).astimezone(UTC)


def as_of(moment: datetime | str | None, batch: Batch | None, arrived: datetime) -> datetime:
    """The time at which a batch's ages are counted: its arrival, a given time, or for ``"window"`` its window's end."""
    if moment is None:
        return arrived
    if moment == "window":
        return batch.window.end if batch is not None and batch.window is not None else arrived
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment)
        except ValueError as error:
            raise UsageError("as-of", found=repr(moment), allowed="an ISO 8601 time, or 'window'") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def breaker_time(moment: datetime | str | None, batch: Batch | None, arrived: datetime) -> datetime:
    """The batch's time for the breaker: as :func:`as_of`, but with ``"window"`` never later than the arrival.

    A window that ends after the batch arrived has a wrong time in it, and its end says nothing; then it is where the
    window begins.
    """
    found = as_of(moment, batch, arrived)
    if moment != "window" or found <= arrived or batch is None or batch.window is None:
        return found
    return min(batch.window.start, arrived)
