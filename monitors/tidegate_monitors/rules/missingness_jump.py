"""A column that vanished into missing values."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.profile import missing_share
from tidegate_monitors.rules import Evidence, rule

_USUAL = 0.5


@rule
def missingness_jump(evidence: Evidence) -> Iterator[Alarm]:
    """Every value is missing, though in every block of the reference at least half were there.

    The score is the missing share; the threshold is 1. Smaller jumps are found by the statistic ``missing_rate``.
    """
    for column in evidence.watched():
        current = evidence.current.columns[column]
        usual = max(missing_share(block.profile.columns[column]) for block in evidence.reference.blocks)
        if current.rows and current.missing == current.rows and usual < _USUAL:
            yield Alarm(
                "missingness_jump",
                evidence.contract.severity_of("missingness_jump", Severity.CRITICAL, column),
                f"column {column!r}: all {current.rows} values are missing; in the reference at most {usual:.1%} were",
                column,
                score=1.0,
                threshold=1.0,
            )
