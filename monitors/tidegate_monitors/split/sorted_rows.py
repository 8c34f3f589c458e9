"""Rows that stand in the order of their labels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tidegate_contracts.severity import Severity
from tidegate_monitors.association import ROWS_MINIMUM
from tidegate_monitors.finding import Finding
from tidegate_monitors.order import Runs
from tidegate_monitors.ranks import auc_deviates, class_aucs, spearman
from tidegate_monitors.split import DEVIATE_MINIMUM, Split, audit

PERSISTENCE_MAXIMUM = 0.5
AUC_MAXIMUM = 0.75
_ORDERED = 0.99


@audit
def sorted_rows(split: Split) -> Iterator[Finding]:
    """TRAIN's labels stand in long runs: half as many as in random order, or fewer; or the place of a row tells them.

    A quantity is read as above or below its median. Rows in the order of their event time are left out: what follows
    from that order is told as ``autocorrelated_rows``.
    """
    target = split.target
    if target is None or _in_time(split):
        return
    labels = target.codes.train[target.train_known]
    if not target.classes:
        values = target.values()
        labels = (values > np.median(values)).astype(np.int64)
    if np.unique(labels).size < 2 or labels.size < 2 * ROWS_MINIMUM:
        return
    runs = Runs.of(labels)
    areas, sizes = class_aucs(np.arange(1.0, labels.size + 1), labels, int(labels.max()) + 1)
    told = np.abs(areas - 0.5) >= AUC_MAXIMUM - 0.5
    by_place = bool((told & (np.abs(auc_deviates(areas, sizes, labels.size)) >= DEVIATE_MINIMUM)).any())
    by_runs = runs.persistence >= PERSISTENCE_MAXIMUM and runs.deviate <= -DEVIATE_MINIMUM
    if by_runs or by_place:
        words = (
            f"TRAIN's rows are in the order of {target.name!r}: {runs.found} runs of equal labels, "
            f"{runs.expected:.0f} in random order"
        )
        yield split.alarm(
            "sorted_rows",
            Severity.WARNING,
            words,
            target.name,
            score=runs.persistence,
            threshold=PERSISTENCE_MAXIMUM,
            folded=("spurious_cue",) if by_place else (),
        )


def _in_time(split: Split) -> bool:
    """Whether TRAIN's rows stand in the order of time; one step back in the middle is another order."""
    both = split.times(split.contract.event_time)
    if both is None or both[0].size < 2:
        return False
    times = both[0].astype(np.float64)
    return spearman(times, np.arange(times.size, dtype=np.float64)) >= _ORDERED
