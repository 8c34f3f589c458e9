"""A model that says the same of every row."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.profile import ColumnProfile
from tidegate_monitors.rules import Evidence, rule

ROWS_MINIMUM = 10
_COLLAPSED = 0.99
_NORMAL = 0.9


@rule
def class_collapse(evidence: Evidence) -> Iterator[Alarm]:
    """Nearly all predictions fall into one cell, which no block of the reference did.

    The score is the share of the largest cell; the threshold is .99, and every block must lie below .9.
    """
    column = evidence.contract.prediction
    if column is None or column not in evidence.current.columns:
        return
    current = evidence.current.columns[column]
    usual = max(largest_share(block.profile.columns[column]) for block in evidence.reference.blocks)
    share = largest_share(current)
    if current.present >= ROWS_MINIMUM and share > _COLLAPSED and usual < _NORMAL:
        yield Alarm(
            "class_collapse",
            evidence.contract.severity_of("class_collapse", Severity.CRITICAL, column),
            f"column {column!r}: {share:.1%} of predictions are the same; in the reference at most {usual:.1%}",
            column,
            score=share,
            threshold=_COLLAPSED,
        )


def largest_share(column: ColumnProfile) -> float:
    """The share of present rows in the fullest cell, in [0, 1]; 1 where all values are equal."""
    if column.low is not None and column.low == column.high:
        return 1.0
    total = sum(column.counts)
    return max(column.counts) / total if total else 0.0
