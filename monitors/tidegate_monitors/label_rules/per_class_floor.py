"""One class is missed while the total looks good: a metric is below the floor that the contract sets for it."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate_contracts.metric import METRICS
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.label_rules import LabelEvidence, label_rule
from tidegate_monitors.panel import judged
from tidegate_monitors.proof import Suspicion, named, proven, severity, too_few
from tidegate_monitors.shortfall import shortfalls
from tidegate_monitors.tally import Sum

_CHECK = "per_class_floor"


@label_rule
def per_class_floor(evidence: LabelEvidence) -> Iterator[Alarm]:
    """A metric in the contract's ``floors`` is proven to be worse than its floor.

    Of several classes each is held to the floors of precision, recall, specificity, F1 and the areas; ``recall[CLASS]``
    is a floor of one class. For metrics of which less is better the floor is a ceiling. One-sided tests clustered by
    batch: Student's t on the jackknife over batches (areas under the ROC curve: on placements; calibration error: on
    noise drawn from batches; the median error: on the share of errors above the ceiling), at the rule's share of
    ``alpha`` after Holm's correction over all floors and classes. The score is the metric; the threshold is its floor.

    Source: see :mod:`~tidegate_monitors.clustered`, :mod:`~tidegate_monitors.auc`, :mod:`~tidegate_monitors.ece_noise`.
    """
    panels = judged(evidence)
    floors = evidence.contract.floors
    if not floors or not any(panel.total[Sum.N] > 0 for panel in panels.values()):
        return
    if not all(panel.sound for panel in panels.values()):
        yield too_few(evidence, _CHECK)
        return
    suspicions: list[Suspicion] = []
    for name, floor in floors.items():
        for item in shortfalls(evidence, name, floor):
            base = name.partition("[")[0]
            side = "below" if METRICS[base].more_is_better else "above"
            message = f"{named(item.outcome)}{base} is {item.value:.3g}, {side} the contract's floor of {floor:g}"
            where = evidence.contract.prediction
            alarm = Alarm(_CHECK, severity(evidence, _CHECK), message, where, score=item.value, threshold=floor)
            suspicions.append((item.p, alarm))
    yield from proven(evidence, suspicions)
