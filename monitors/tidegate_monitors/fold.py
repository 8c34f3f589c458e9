"""One cause, one finding: what a rule has explained is not reported again as drift."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tidegate_monitors.alarm import Alarm

_DISTRIBUTIONAL = frozenset({"drift", "prediction_drift", "insufficient_evidence"})


def fold(rules: Iterable[Alarm], drifts: Iterable[Alarm]) -> tuple[Alarm, ...]:
    """The rules' alarms with the drift of the same column folded into them, then the drift that is left."""
    rules, drifts = list(rules), list(drifts)
    explained = {alarm.column for alarm in rules if alarm.column is not None}

    def absorbs(alarm: Alarm, drift: Alarm) -> bool:
        return alarm.column == drift.column and (drift.check in _DISTRIBUTIONAL or drift.check == alarm.check)

    folded = [
        replace(alarm, folded=tuple(sorted({drift.check for drift in drifts if absorbs(alarm, drift)} - {alarm.check})))
        for alarm in rules
    ]
    left = [
        drift for drift in drifts if drift.column not in explained or not any(absorbs(alarm, drift) for alarm in rules)
    ]
    return (*folded, *left)
