"""No prediction reaches the threshold from which somebody acts, so that nobody does."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

import numpy as np

from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.cells import Kind
from tidegate_monitors.column_profile import ColumnProfile
from tidegate_monitors.rules import Evidence, rule

ROWS_MINIMUM = 10
CHANCE_MAXIMUM = 0.001
_BLOCKS_MINIMUM = 5


@rule
def threshold_unreached(evidence: Evidence) -> Iterator[Alarm]:
    """All predictions lie below ``decision_threshold``, and by the reference that can hardly be chance.

    Each block says how likely a batch of these n rows would be empty above the threshold if it were like that block:
    (1 - q) to the power of n, with q the share of the block's own predictions that reach it. The mean over the blocks
    must be below .001, so one block in which none did keeps the rule silent, unless there are a thousand. That mean
    allows for days that differ, which rows drawn from one pool would not.

    q counts only whole cells above the threshold, so it is never too large. The score is the threshold less the
    greatest prediction; the threshold is 0.
    """
    contract = evidence.contract
    column, least = contract.prediction, contract.decision_threshold
    cells = evidence.reference.layout.cells.get(column) if column is not None else None
    blocks = [block.profile.columns[column] for block in evidence.reference.blocks] if column is not None else []
    if column is None or least is None or cells is None or cells.kind is not Kind.NUMERIC:
        return
    current = evidence.current.columns[column]
    rows = sum(current.counts)
    if current.high is None or current.high >= least or rows < ROWS_MINIMUM or len(blocks) < _BLOCKS_MINIMUM:
        return
    shares = np.array([share_reaching(block, cells.edges, least) for block in blocks])
    if float(np.mean((1 - shares) ** rows)) < CHANCE_MAXIMUM:
        yield Alarm(
            "threshold_unreached",
            contract.severity_of("threshold_unreached", Severity.CRITICAL, column),
            f"column {column!r}: none of {rows} predictions reaches the decision threshold {least:g}; in the reference "
            f"{shares.min():.1%} to {shares.max():.1%} did in every block",
            column,
            score=least - current.high,
            threshold=0.0,
        )


def share_reaching(block: ColumnProfile, edges: tuple[float, ...], least: float) -> float:
    """The share of a block's numbers that are surely at least so large, in [0, 1]."""
    total = sum(block.counts)
    if not total or block.high is None or block.high < least:
        return 0.0
    # cell i holds edges[i - 1] < x <= edges[i]: whole cells above begin after the first edge that is not below
    above = sum(block.counts[bisect_left(edges, least) + 1 :])
    return max(above, 1) / total
