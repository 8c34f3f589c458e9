"""Rows went into the model and did not come out."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.profile import missing_share
from tidegate_monitors.rules import Evidence, rule

ROWS_MINIMUM = 10
_LEAST = 0.05
_FACTOR = 2.0


@rule
def lost_predictions(evidence: Evidence) -> Iterator[Alarm]:
    """Predictions are missing for far more rows than in any block of the reference.

    The score is the missing share; the threshold is .05 on top of twice the largest share of any block, and at least 10
    predictions must be missing. Where that would be above 1, half of the predictions are missing by nature, and nobody
    can be surprised. The gaps that a schema does not allow are ``missing_values`` of their rows all the same.
    """
    column = evidence.contract.prediction
    if column is None or column not in evidence.current.columns or not evidence.contract.is_watched(column):
        return
    current = evidence.current.columns[column]
    usual = max((missing_share(block.profile.columns[column]) for block in evidence.reference.blocks), default=1.0)
    threshold, share = _LEAST + _FACTOR * usual, missing_share(current)
    if current.missing >= ROWS_MINIMUM and share >= threshold:
        yield Alarm(
            "lost_predictions",
            evidence.contract.severity_of("lost_predictions", Severity.CRITICAL, column),
            f"column {column!r}: {current.missing} of {current.rows} rows ({share:.1%}) came out of the model without "
            f"a prediction; in the reference at most {usual:.1%} did",
            column,
            score=share,
            threshold=threshold,
        )
