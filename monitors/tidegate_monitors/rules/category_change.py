"""Categories that nobody has seen before."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.cells import Kind
from tidegate_monitors.rules import Evidence, rule

_WARNING = 0.01
_CRITICAL = 0.10
_ROWS_MINIMUM = 5


@rule
def category_change(evidence: Evidence) -> Iterator[Alarm]:
    """More than 1 % of rows, and at least 5, are in categories that the reference never saw; critical above 10 %.

    The score is the unseen share.
    """
    for column in evidence.watched():
        if evidence.reference.layout.cells[column].kind is not Kind.CATEGORY:
            continue
        counts = evidence.current.columns[column].counts
        unseen, total = counts[-1], sum(counts)
        share = unseen / total if total else 0.0
        if unseen < _ROWS_MINIMUM or share <= _WARNING:
            continue
        default = Severity.CRITICAL if share > _CRITICAL else Severity.WARNING
        yield Alarm(
            "category_change",
            evidence.contract.severity_of("category_change", default, column),
            f"column {column!r}: {unseen} of {total} rows ({share:.1%}) are in categories that the reference never saw",
            column,
            score=share,
            threshold=_CRITICAL if share > _CRITICAL else _WARNING,
        )
