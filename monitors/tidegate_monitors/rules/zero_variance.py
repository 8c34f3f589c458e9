"""A column that stopped varying."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.cells import Kind
from tidegate_monitors.rules import Evidence, rule
from tidegate_monitors.rules.class_collapse import ROWS_MINIMUM, largest_share


@rule
def zero_variance(evidence: Evidence) -> Iterator[Alarm]:
    """All values are equal, though in every block of the reference at least a tenth of them differed.

    The score is the share of the largest cell; the threshold is 1, reached only by a constant.
    """
    for column in evidence.watched():
        cells = evidence.reference.layout.cells[column]
        if cells.kind not in (Kind.NUMERIC, Kind.CATEGORY) or column == evidence.contract.prediction:
            continue
        current = evidence.current.columns[column]
        usual = max(largest_share(block.profile.columns[column]) for block in evidence.reference.blocks)
        if cells.kind is Kind.NUMERIC:
            constant = current.low is not None and current.low == current.high and not current.non_finite
        else:  # the last two cells pool many categories
            constant = current.present in current.counts[:-2]
        if current.present >= ROWS_MINIMUM and constant and usual < 0.9:
            yield Alarm(
                "zero_variance",
                evidence.contract.severity_of("zero_variance", Severity.CRITICAL, column),
                f"column {column!r}: all {current.present} values are equal; in the reference at most {usual:.1%} were",
                column,
                score=1.0,
                threshold=1.0,
            )
