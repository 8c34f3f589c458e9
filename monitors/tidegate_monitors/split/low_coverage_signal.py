"""A feature that is mostly missing, and is there just when it matters."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tidegate_contracts.severity import Severity
from tidegate_monitors.finding import Finding
from tidegate_monitors.significance import homogeneity
from tidegate_monitors.split import P_MAXIMUM, Split, audit

COVERAGE_MAXIMUM = 0.5
LIFT_MINIMUM = 2.0
RECALL_MINIMUM = 0.8
_ROWS_MINIMUM = 30


@audit
def low_coverage_signal(split: Split) -> Iterator[Finding]:
    """Features present in at most half of TRAIN's rows whose presence goes with a class: before they are dropped.

    Told if the class is twice as frequent where the value is present (lift P(class | present) / P(class)), or if 80 %
    of the class's rows have it. Source of lift: S. Brin et al. (1997), "Dynamic itemset counting", SIGMOD, 255-264.
    """
    target = split.target
    if target is None or not target.classes:
        return
    labels = target.codes.train[target.train_known]
    totals = np.bincount(labels, minlength=target.count).astype(np.float64)
    for name in split.features:
        present = split.codes(name).train[target.train_known] >= 0
        covered = int(present.sum())
        if not _ROWS_MINIMUM <= covered <= COVERAGE_MAXIMUM * labels.size:
            continue
        found = np.bincount(labels[present], minlength=target.count).astype(np.float64)
        lifts = np.divide(found / covered, totals / labels.size, out=np.zeros(target.count), where=totals > 0)
        recalls = np.divide(found, totals, out=np.zeros(target.count), where=totals >= _ROWS_MINIMUM)
        best = int(np.argmax(np.where(found >= _ROWS_MINIMUM, lifts, 0.0)))
        told = found[best] >= _ROWS_MINIMUM and (lifts[best] >= LIFT_MINIMUM or recalls[best] >= RECALL_MINIMUM)
        if told and homogeneity(found, totals - found) <= P_MAXIMUM:
            words = (
                f"column {name!r} is present in {covered / labels.size:.1%} of TRAIN, and in {recalls[best]:.1%} of "
                f"one class, which is {lifts[best]:.1f} times as frequent there: do not drop it for its coverage"
            )
            yield split.alarm(
                "low_coverage_signal", Severity.INFO, words, name, score=float(lifts[best]), threshold=LIFT_MINIMUM
            )
