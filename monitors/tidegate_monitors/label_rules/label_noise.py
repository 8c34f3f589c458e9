"""Labels are taken back after they came."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from tidegate_monitors import measures
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.clustered import Estimate, clustered
from tidegate_monitors.cohort import Cohort
from tidegate_monitors.label_rules import LabelEvidence, label_rule
from tidegate_monitors.proof import proven, severity

_CHECK = "label_noise"
_LEAST = 0.01

Floats = npt.NDArray[np.float64]


@label_rule
def label_noise(evidence: LabelEvidence) -> Iterator[Alarm]:
    """More than 1 % of labels have changed since they first came, and a larger share than the reference's.

    A floor of what is wrong: errors that nobody took back are not seen. One-sided t tests clustered by batch, both at
    the rule's share of ``alpha``. The score is the share of labels that changed. Annotators that contradict each other
    are ``annotator_bias``.

    Source: B. Frénay, M. Verleysen (2014), IEEE Transactions on Neural Networks and Learning Systems 25(5), 845-869.
    """
    found, usual = _changed(evidence.cohorts), _changed(evidence.reference)
    if found is None:
        return
    p = found.above(_LEAST)
    if usual is not None:
        p = max(p, found.minus(usual).above(0.0))
    before = "" if usual is None else f"; of the reference's it was {usual.value:.1%}"
    alarm = Alarm(
        _CHECK,
        severity(evidence, _CHECK),
        f"{found.value:.1%} of the labels have changed since they first came{before}",
        evidence.contract.label,
        score=found.value,
        threshold=max(_LEAST, usual.value if usual is not None else 0.0),
    )
    yield from proven(evidence, [(p, alarm)])


def _changed(cohorts: Sequence[Cohort]) -> Estimate | None:
    sums: Floats = np.array([[item.reversed, item.labelled] for item in cohorts], dtype=np.float64).reshape(-1, 2)
    return clustered(sums, lambda both: measures.over(float(both[0]), float(both[1])), sums[:, 1])
