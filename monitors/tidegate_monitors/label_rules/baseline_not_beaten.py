"""A simple rule would do as well as the model."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from tidegate_monitors import measures
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.clustered import clustered
from tidegate_monitors.label_rules import LabelEvidence, label_rule
from tidegate_monitors.panel import judged
from tidegate_monitors.proof import proven, severity
from tidegate_monitors.tally import Sum

_CHECK = "baseline_not_beaten"
_LEAST = 0.01

Floats = npt.NDArray[np.float64]


@label_rule
def baseline_not_beaten(evidence: LabelEvidence) -> Iterator[Alarm]:
    """The model's squared error is proven to be less than 1 % below that of the contract's ``baseline``.

    Both are summed over the same rows, of several classes over all of them; a one-sided t test clustered by batch, at
    the rule's share of ``alpha``. The score is 1 - the model's error / the baseline's; the threshold is .01.

    Source: A. H. Murphy (1988), Monthly Weather Review 116(12), 2417-2424, skill against a reference forecast.
    """
    panels = list(judged(evidence).values())
    if evidence.contract.baseline is None or not panels:
        return
    found = clustered(np.stack([panel.whole for panel in panels], axis=1), _gain, panels[0].whole[:, Sum.N])
    if found is None:
        return
    alarm = Alarm(
        _CHECK,
        severity(evidence, _CHECK),
        f"the model's squared error is {abs(found.value):.1%} {'above' if found.value < 0 else 'below'} that of "
        f"{evidence.contract.baseline!r} (standard error {found.error:.1%})",
        evidence.contract.prediction,
        score=found.value,
        threshold=_LEAST,
    )
    yield from proven(evidence, [(found.below(_LEAST), alarm)])


def _gain(sums: Floats) -> float | None:
    ratio = measures.over(sum(measures.squared(row) for row in sums), float(sums[:, Sum.SIMPLE_SQUARED].sum()))
    return None if ratio is None else 1 - ratio
