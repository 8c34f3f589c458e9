"""Most values lie where the reference had none."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from tidegate_contracts.contract import Contract
from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.cells import Kind
from tidegate_monitors.compare import ROWS_MINIMUM
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Reference

_MOST = 0.5


def beyond(profile: Profile, reference: Reference, contract: Contract) -> Iterator[Alarm]:
    """More than half of a column's numbers lie beyond everything that the reference had.

    No ranking is needed to call that unusual, however much the column moves by nature. A warning; information where the
    column's drift is only information. The score is the share beyond; the threshold is .5.
    """
    for column, cells in reference.layout.cells.items():
        counts, known = profile.columns[column].counts, reference.pooled.columns[column]
        total = sum(counts)
        if cells.kind is not Kind.NUMERIC or known.low is None or known.high is None or total < ROWS_MINIMUM:
            continue
        below = sum(counts[: bisect_left(cells.edges, known.low)]) / total
        above = sum(counts[bisect_left(cells.edges, known.high) + 1 :]) / total
        share, side = max((below, "below"), (above, "above"))
        if share <= _MOST:
            continue
        check = "prediction_drift" if column == contract.prediction else "drift"
        told_only = contract.columns[column].drift == "info"
        usual = Severity.INFO if told_only else contract.severity_of(check, Severity.WARNING, column)
        yield Alarm(
            check,
            usual,
            f"column {column!r}: {share:.0%} of the values lie {side} all that the reference had",
            column,
            score=share,
            threshold=_MOST,
        )
