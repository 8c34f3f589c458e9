"""One cause, one finding: what a rule has explained is not reported again as drift."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tidegate_monitors.alarm import Alarm

_DISTRIBUTIONAL = frozenset({"drift", "prediction_drift", "insufficient_evidence"})


def fold(rules: Iterable[Alarm], drifts: Iterable[Alarm]) -> tuple[Alarm, ...]:
    """The rules' alarms with the drift of the same column folded into them, then the drift that is left."""
    rules, drifts = list(rules), list(drifts)

    def absorbs(alarm: Alarm, drift: Alarm) -> bool:
        return alarm.column == drift.column and (drift.check in _DISTRIBUTIONAL or drift.check == alarm.check)

    folded = [_absorb(alarm, [drift for drift in drifts if absorbs(alarm, drift)]) for alarm in rules]
    left = [drift for drift in drifts if not any(absorbs(alarm, drift) for alarm in rules)]
    return (*folded, *left)


def _absorb(alarm: Alarm, drifts: list[Alarm]) -> Alarm:
    """A rule's alarm with its drift folded in; never milder than what it hides."""
    checks = {drift.check for drift in drifts} - {alarm.check}
    severity = max([alarm, *drifts], key=lambda item: item.severity.rank).severity
    return replace(alarm, folded=tuple(sorted(checks)), severity=severity)
