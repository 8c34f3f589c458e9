"""What columns may be for: time, prediction, label, slices; and how often batches come."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from statistics import median

import pyarrow as pa
import pyarrow.compute as pc

from tidegate_contracts.draft import DraftColumn, Rule
from tidegate_contracts.guesses.evidence import Evidence
from tidegate_contracts.types import LogicalType

_TIME = re.compile(r"(event|sched|occurred|happened|placed|created|timestamp|(^|_)ts($|_)|time|date|(^|_)at$)")
_PREDICTION = re.compile(r"(^|_)(p|prob|probability|score|pred|predicted|prediction|yhat)(_|$)")
_LABEL = re.compile(
    r"(^|_)(label|target|y|outcome|class|late|churn|churned|default|fraud|returned|clicked|converted)(_|$)"
)
_UNITS = (
    *(timedelta(minutes=minutes) for minutes in (1, 5, 10, 15, 30)),
    *(timedelta(hours=hours) for hours in (1, 2, 3, 4, 6, 8, 12)),
    *(timedelta(days=days) for days in (1, 7, 14)),
)
_SLICES = 2
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def event_times(columns: Sequence[Evidence]) -> list[Evidence]:
    """Columns of times, the likeliest first: whole ones, then those named like it, then in their order."""
    found = [item for item in columns if item.logical is LogicalType.TIME and len(item.present)]
    return sorted(
        found, key=lambda item: (bool(item.missing), not item.everywhere, not _TIME.search(item.name.lower()))
    )


def days(times: Evidence) -> int:
    """On how many days (UTC, or of its own zone where it has none) events were seen."""
    seconds = pc.divide(times.present.cast(pa.int64()), _PER_SECOND[times.present.type.unit] * 86_400)
    return int(pc.count_distinct(seconds).as_py())


def predictions(columns: Sequence[DraftColumn]) -> list[str]:
    """Columns named like a prediction that hold shares."""
    share = Rule("in_range", (0, 1))
    return [item.name for item in columns if share in item.rules and _PREDICTION.search(item.name.lower())]


def labels(columns: Sequence[DraftColumn]) -> list[str]:
    """Columns of two values, those named like a label first."""
    flag = Rule("isin", ([0, 1],))
    found = [item.name for item in columns if flag in item.rules or item.dtype == "bool"]
    return sorted(found, key=lambda name: not _LABEL.search(name.lower()))


def slices(columns: Sequence[DraftColumn]) -> list[str]:
    """Columns of few categories."""
    few = [item.name for item in columns if item.dtype == "str" and any(rule.check == "isin" for rule in item.rules)]
    return few[:_SLICES]


def cadence(times: Evidence) -> timedelta | None:
    """How often files come, if their windows follow one another at one distance; None for fewer than three files."""
    windows = sorted(window for part in times.parts if (window := _window(part)) is not None)
    if len(windows) < 3 or any(later[0] <= earlier[1] for earlier, later in pairwise(windows)):
        return None
    steps = [later[0] - earlier[0] for earlier, later in pairwise(windows)]
    usual = median(steps)
    for unit in _UNITS:
        seconds = unit.total_seconds()
        steady = sum(abs(step - seconds) <= 0.35 * seconds for step in steps)
        if abs(usual - seconds) <= 0.1 * seconds and steady >= 0.8 * len(steps):
            return unit
    return None


def _window(values: pa.ChunkedArray) -> tuple[float, float] | None:
    bounds = pc.min_max(values)
    if not bounds["min"].is_valid:
        return None
    per_second = _PER_SECOND[values.type.unit]
    return bounds["min"].value / per_second, bounds["max"].value / per_second
