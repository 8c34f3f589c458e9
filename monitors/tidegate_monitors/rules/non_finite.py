"""Infinities."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.rules import Evidence, rule


@rule
def non_finite(evidence: Evidence) -> Iterator[Alarm]:
    """Infinite values in a column in which the reference had none. The score is their number; the threshold is 0."""
    for column in evidence.watched():
        current = evidence.current.columns[column]
        if current.non_finite and not evidence.reference.pooled.columns[column].non_finite:
            yield Alarm(
                "non_finite",
                evidence.contract.severity_of("non_finite", Severity.CRITICAL, column),
                f"column {column!r}: {current.non_finite} of {current.rows} values are infinite; in the reference none",
                column,
                score=float(current.non_finite),
                threshold=0.0,
            )
