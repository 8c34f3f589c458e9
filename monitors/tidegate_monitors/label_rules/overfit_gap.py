"""The model is far better on what it has seen."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate_contracts.metric import METRICS
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.declared import declared, margin
from tidegate_monitors.label_rules import LabelEvidence, label_rule
from tidegate_monitors.proof import severity

_CHECK = "overfit_gap"
_SHARE = 0.1


@label_rule
def overfit_gap(evidence: LabelEvidence) -> Iterator[Alarm]:
    """A metric was better on the training rows than offline by more than a tenth.

    Both stand in the metadata of the prediction's column, ``{"training": {"roc_auc": 0.99}, "offline": {"roc_auc":
    0.78}}``; a metric that only one of them has is not looked at. A tenth is of the way from the training value to the
    worst that there is, or of the value itself where there is no worst. Two numbers that somebody wrote down are
    compared; nothing is tested, and no alarm is false by chance. The score is the offline value; the threshold is what
    it would at least have to be.
    """
    offline = declared(evidence.contract, "offline")
    for name, seen in declared(evidence.contract, "training").items():
        metric = METRICS[name.partition("[")[0]]
        if name not in offline:
            continue
        least = margin(metric, seen, _SHARE)
        if (least - offline[name]) * (1 if metric.more_is_better else -1) > 0:
            yield Alarm(
                _CHECK,
                severity(evidence, _CHECK),
                f"{name} was {seen:.3g} on the training rows and {offline[name]:.3g} offline",
                evidence.contract.prediction,
                score=offline[name],
                threshold=least,
            )
