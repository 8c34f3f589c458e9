"""Times that are some hours off."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.cells import Kind
from tidegate_monitors.rules import Evidence, rule

_HOURS = 24
_BLOCKS_MINIMUM = 5
_BETTER = 1.5
_FITS = 2.0
_LEVEL = 1e-6
_LAGS = (np.arange(_HOURS)[None, :] + np.arange(_HOURS)[:, None]) % _HOURS

Floats = npt.NDArray[np.float64]


@rule
def timezone_shift(evidence: Evidence) -> Iterator[Alarm]:
    """The hours of the day look like those of the reference only when all times are moved by some whole hours.

    For each lag the hours are held against every block, as half the sum of absolute differences of shares (the total
    variation distance); a lag's distance is that to the nearest block. The lag with the least distance must not be 0.
    At lag 0 the distance must be greater than that of any block to its nearest, and at the best lag no more than twice
    that, as schedules change; the logarithm of the likelihood must grow by more than chance explains (one in a million
    over the lags). The score is the distance at lag 0 over the distance at the best lag; the threshold is 1.5. A single
    hour is a warning where the contract's zone knows no summer time: clocks may have changed where the data is from.
    Hours that are as frequent all day can show no shift, nor can shifts of whole days.
    """
    for column in evidence.watched():
        if evidence.reference.layout.cells[column].kind is Kind.HOUR:
            yield from _judge(evidence, column)


def _judge(evidence: Evidence, column: str) -> Iterator[Alarm]:
    hours = np.array(evidence.current.columns[column].counts, dtype=np.float64)
    counts = evidence.reference.counts(column).astype(np.float64)
    counts = counts[counts.sum(axis=1) > 0]
    if not hours.any() or len(counts) < _BLOCKS_MINIMUM:
        return
    lagged = hours[_LAGS]  # row k: the hours if all times were k hours earlier
    pooled = counts.sum(axis=0) + 0.5
    likelihood = lagged @ np.log(pooled / pooled.sum())
    likely = int(np.argmax(likelihood))
    if likely == 0 or likelihood[likely] - likelihood[0] < math.log(_HOURS / _LEVEL):
        return
    shares = counts / counts.sum(axis=1, keepdims=True)
    distances = np.array([_nearest(row, shares) for row in lagged / hours.sum()])
    lag = int(np.argmin(distances))
    score = distances[0] / max(distances[lag], 1e-3)
    if lag == 0 or score <= _BETTER:
        return
    usual = _widest(shares)
    if distances[0] <= usual or distances[lag] > _FITS * usual:
        return
    off = lag if lag <= _HOURS // 2 else lag - _HOURS
    unit = "hour" if abs(off) == 1 else "hours"
    clocks = abs(off) == 1 and not _has_summer_time(evidence.contract.zone)
    doubt = f"; or clocks changed where it is from: time_zone is {evidence.contract.zone}" if clocks else ""
    usually = Severity.WARNING if clocks else Severity.CRITICAL
    yield Alarm(
        "timezone_shift",
        evidence.contract.severity_of("timezone_shift", usually, column),
        f"column {column!r}: times are {abs(off)} {unit} {'later' if off > 0 else 'earlier'} than the reference's, "
        f"in the same pattern of the day{doubt}",
        column,
        score=float(score),
        threshold=_BETTER,
    )


def _has_summer_time(zone: ZoneInfo) -> bool:
    """Whether the zone's clocks differ between January and July of a recent year."""
    winter, summer = (datetime(2024, month, 1, tzinfo=zone).utcoffset() for month in (1, 7))
    return winter != summer


def _nearest(share: Floats, shares: Floats) -> float:
    return float(np.abs(shares - share).sum(axis=1).min()) / 2


def _widest(shares: Floats) -> float:
    """The greatest distance of a block to the block that is nearest to it."""
    others = ~np.eye(len(shares), dtype=bool)
    return max(_nearest(share, shares[other]) for share, other in zip(shares, others, strict=True))
