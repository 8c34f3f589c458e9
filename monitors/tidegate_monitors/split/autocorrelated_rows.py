"""Rows that are not independent of the rows before them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tidegate_contracts.severity import Severity
from tidegate_monitors.association import ROWS_MINIMUM
from tidegate_monitors.finding import Finding
from tidegate_monitors.order import autocorrelations, effective_rows
from tidegate_monitors.split import DEVIATE_MINIMUM, Split, audit

CORRELATION_MAXIMUM = 0.1


@audit
def autocorrelated_rows(split: Split) -> Iterator[Finding]:
    """TRAIN's labels in the order of time (else as delivered) correlate with the label before: from .1.

    Thresholds and intervals that count rows are then too narrow; the message says how many rows they are worth.
    Source of the significance: M. S. Bartlett (1946), Supplement to the Journal of the Royal Statistical Society 8(1),
    27-41: without correlation the standard error of the first autocorrelation is 1 / sqrt(n).
    """
    target = split.target
    if target is None or target.train_known.size < 2 * ROWS_MINIMUM:
        return
    values = target.values()
    both = split.times(split.contract.event_time)
    if both is not None:
        values = values[np.argsort(both[0][target.train_known], kind="stable")]
    found = autocorrelations(values)
    first = float(found[1])
    if first >= CORRELATION_MAXIMUM and first * np.sqrt(values.size) >= DEVIATE_MINIMUM:
        words = (
            f"{target.name!r} correlates with the row before it ({first:.2f}): for a mean, TRAIN's {values.size} "
            f"labelled rows are worth about {effective_rows(found):.0f} independent ones"
        )
        yield split.alarm(
            "autocorrelated_rows", Severity.INFO, words, target.name, score=first, threshold=CORRELATION_MAXIMUM
        )
