"""Production is worse than the test promised."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from tidegate_contracts.metric import METRICS
from tidegate_monitors.alarm import Alarm
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
    for name, promised in _offline(evidence).items():
        metric = METRICS[name.partition("[")[0]]
        width = abs(promised - metric.worst) if math.isfinite(metric.worst) else abs(promised)
        least = promised - _SHARE * width * (1 if metric.more_is_better else -1)
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


def _offline(evidence: LabelEvidence) -> dict[str, float]:
    """The promised metrics that are known and are numbers."""
    contract = evidence.contract
    said = contract.columns[contract.prediction].metadata.get("offline") if contract.prediction else None
    if not isinstance(said, Mapping):
        return {}
    return {
        str(name): float(value)
        for name, value in said.items()
        if str(name).partition("[")[0] in METRICS and isinstance(value, int | float) and math.isfinite(value)
    }
