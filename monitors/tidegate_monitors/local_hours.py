"""Hours of the day and days of the week in a time zone, counted without converting every time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tidegate_monitors.cells import Counts

_QUARTER = {"s": 900, "ms": 900_000, "us": 900_000_000, "ns": 900_000_000_000}
_SPAN_MAXIMUM = 1 << 22  # quarters of an hour: more than a century


@dataclass(frozen=True, slots=True)
class LocalHours:
    """The hour and the weekday of each present time of a column.

    All offsets from UTC since 1972 but Liberia's are whole quarters of an hour, so each quarter has one hour.
    Arrow knows no clock changes after 2037.

    Attributes:
        hour: 0 to 23, shape (n,).
        weekday: 0 (Monday) to 6, shape (n,).
    """

    hour: npt.NDArray[np.uint8]
    weekday: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, values: Any, zone: str) -> LocalHours:
        """Read a column of times without gaps; naive times are read as they stand."""
        if not len(values):
            return cls(np.zeros(0, dtype=np.uint8), np.zeros(0, dtype=np.uint8))
        quarters = np.asarray(values.cast(pa.int64()).to_numpy()) // _QUARTER[values.type.unit]
        first, last = int(quarters.min()), int(quarters.max())
        if last - first > _SPAN_MAXIMUM:  # times all over history: look at each different one
            distinct, places = np.unique(quarters, return_inverse=True)
        else:
            distinct, places = np.arange(first, last + 1), quarters - first
        hour, weekday = _read(distinct, values.type.tz, zone)
        return cls(hour[places], weekday[places])

    def counts(self) -> tuple[Counts, Counts]:
        """How many times fall into each hour, shape (24,), and each weekday, shape (7,)."""
        return np.bincount(self.hour, minlength=24), np.bincount(self.weekday, minlength=7)


def _read(quarters: npt.NDArray[np.int64], tz: str | None, zone: str) -> tuple[npt.NDArray[np.uint8], ...]:
    moments = pa.array(quarters * 900, pa.int64()).cast(pa.timestamp("s"))
    if tz is not None:
        moments = pc.assume_timezone(moments, "UTC").cast(pa.timestamp("s", zone))
    hour, weekday = pc.hour(moments), pc.day_of_week(moments)
    return hour.to_numpy().astype(np.uint8), weekday.to_numpy().astype(np.uint8)
