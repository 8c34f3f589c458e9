"""Cohorts and evidence made of data frames that have a day, a prediction and a label."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

import tidegate as tg
from tidegate_contracts.batch import Window
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.cohort import Cohort
from tidegate_monitors.label_rules import LabelEvidence, label_rules
from tidegate_monitors.pairs import Pairs
from tidegate_monitors.tally import Rows, Tally

SLICES = ("origin", "carrier")


def deciles(predictions: Any) -> tuple[float, ...]:
    """The inner edges of ten buckets."""
    return tuple(float(edge) for edge in np.quantile(predictions, np.arange(1, 10) / 10))


def cohort(
    day: Any, rows: pd.DataFrame, edges: Sequence[float], *, threshold: float = 0.5, reversed_: int = 0
) -> Cohort:
    """One day; the columns are prediction, label, maybe simple, and slices."""
    prediction, label = (rows[name].to_numpy(dtype=np.float64) for name in ("prediction", "label"))
    known = np.isfinite(label)
    simple = rows["simple"].to_numpy(dtype=np.float64) if "simple" in rows else None
    slices = {name: rows[name].to_numpy() for name in SLICES if name in rows}
    tally = Tally.of(Rows(prediction, label, known, slices, prediction >= threshold, None, simple), edges)
    start = datetime.fromisoformat(str(day)).replace(tzinfo=UTC)
    return Cohort(
        str(day),
        Window(start, start + timedelta(days=1)),
        len(rows),
        int(known.sum()),
        int(known.sum()),
        reversed_,
        tuple(edges),
        MappingProxyType({"": tally}),
    )


def pairs_of(frame: pd.DataFrame, *, threshold: float = 0.5) -> Callable[[], Iterator[Pairs]]:
    """The labelled rows, day by day."""

    def pairs() -> Iterator[Pairs]:
        for day, rows in frame.groupby("day", sort=True):
            prediction, label = (rows[name].to_numpy(dtype=np.float64) for name in ("prediction", "label"))
            known = np.isfinite(label) & np.isfinite(prediction)
            yield Pairs(str(day), "", prediction[known], label[known], prediction[known] >= threshold)

    return pairs


def evidence(
    now: pd.DataFrame,
    before: pd.DataFrame | None,
    contract: tg.Contract,
    *,
    edges: Sequence[float] | None = None,
    calm: bool | None = None,
    alpha: float = 0.05,
) -> LabelEvidence:
    """What rules may look at, with buckets between the deciles of the reference's predictions."""
    if edges is None:
        edges = deciles((now if before is None else before)["prediction"])
    threshold = contract.decision_threshold or 0.5
    made = [
        tuple(cohort(day, rows, edges, threshold=threshold) for day, rows in frame.groupby("day", sort=True))
        if frame is not None
        else ()
        for frame in (now, before)
    ]
    return LabelEvidence(made[0], made[1], contract, alpha, calm, pairs_of(now, threshold=threshold))


def found(rule: str, item: LabelEvidence) -> list[Alarm]:
    """What one rule says."""
    return list(label_rules()[rule](item))


def alarms(rule: str, item: LabelEvidence) -> list[Alarm]:
    """Its alarms, without what is only told."""
    return [alarm for alarm in found(rule, item) if alarm.severity != "info"]
