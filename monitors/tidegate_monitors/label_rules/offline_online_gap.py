"""Production is worse than the test promised."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate_contracts.metric import METRICS
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.declared import declared, margin
from tidegate_monitors.label_rules import LabelEvidence, label_rule
from tidegate_monitors.proof import Suspicion, named, proven, severity
from tidegate_monitors.shortfall import shortfalls

_CHECK = "offline_online_gap"
_SHARE = 0.1


@label_rule
def offline_online_gap(evidence: LabelEvidence) -> Iterator[Alarm]:
    """A metric is proven to be worse than the offline one by more than a tenth.

    What the test measured stands in the metadata of the prediction's column, ``{"offline": {"roc_auc": 0.78}}``, by the
    names that ``floors`` have; nothing else is looked at. A tenth is of the way from the offline value to the worst
    that there is, or of the value itself where there is no worst. Tests and their share of ``alpha`` are those of
    ``per_class_floor``. The score is the metric; the threshold is what it would at least have to be.
    """
    suspicions: list[Suspicion] = []
    for name, promised in declared(evidence.contract, "offline").items():
        metric = METRICS[name.partition("[")[0]]
        least = margin(metric, promised, _SHARE)
        for item in shortfalls(evidence, name, least):
            alarm = Alarm(
                _CHECK,
                severity(evidence, _CHECK),
                f"{named(item.outcome)}{metric.name} is {item.value:.3g}; offline it was {promised:.3g}",
                evidence.contract.prediction,
                score=item.value,
                threshold=least,
            )
            suspicions.append((item.p, alarm))
    yield from proven(evidence, suspicions)
