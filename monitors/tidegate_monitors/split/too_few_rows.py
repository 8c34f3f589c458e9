"""Many features, little data."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tidegate_contracts.severity import Severity
from tidegate_monitors.finding import Finding
from tidegate_monitors.split import Split, audit

ROWS_PER_FEATURE = 10.0


@audit
def too_few_rows(split: Split) -> Iterator[Finding]:
    """Fewer than ten rows a feature: for classes, rows outside the largest class; else rows of TRAIN.

    Source: P. Peduzzi et al. (1996), Journal of Clinical Epidemiology 49(12), 1373-1379 (ten events a variable).
    """
    features, target = len(split.features), split.target
    if not features:
        return
    rows, what = split.train.rows, "rows"
    if target is not None:
        rows = target.train_known.size
        if target.classes:
            rows -= int(np.bincount(target.codes.train[target.train_known]).max())
            what = "rows outside the largest class"
    ratio = rows / features
    if ratio < ROWS_PER_FEATURE:
        words = f"TRAIN has {rows} {what} for {features} features; {ROWS_PER_FEATURE:.0f} for each are a usual least"
        yield split.alarm("too_few_rows", Severity.WARNING, words, score=ratio, threshold=ROWS_PER_FEATURE)
