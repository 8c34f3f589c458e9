"""The decision threshold costs more than another one would."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from tidegate_contracts.outcome import Outcome
from tidegate_contracts.severity import Severity
from tidegate_monitors import measures
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.auc import auc_of
from tidegate_monitors.clustered import clustered
from tidegate_monitors.cohort import WHOLE
from tidegate_monitors.label_rules import LabelEvidence, label_rule
from tidegate_monitors.panel import Panel, judged
from tidegate_monitors.proof import Suspicion, proven, severity
from tidegate_monitors.tally import Sum
from tidegate_monitors.threshold import threshold_of

_CHECK = "costly_threshold"
_DEARER = 1.1
_RANKS = 0.7
_POSITIVES = 20

Floats = npt.NDArray[np.float64]


@label_rule
def costly_threshold(evidence: LabelEvidence) -> Iterator[Alarm]:
    """Calls cost a tenth more than at another threshold, or the model ranks well and calls nobody.

    *Costs*, where the contract has them and the label has two classes: what false positives and false negatives cost a
    row, against the edge of every bucket as the threshold, and against calling everybody or nobody. That it is above
    1.1 times another's is proven by one-sided t tests clustered by batch; Holm's correction over all the others makes
    up for picking the cheapest on the rows that are judged. The alarm names the cheapest that is proven. The score is
    the cost a row; the threshold is the other's, times 1.1.

    *Ranks*: none of 20 positives or more is called, and the area under the ROC curve is proven to be above .7.
    Information where the contract has no decision threshold. The score is the area.

    Both at the rule's share of ``alpha``. Source: C. Elkan (2001), "The foundations of cost-sensitive learning", IJCAI.
    """
    panel = judged(evidence).get(WHOLE)
    if evidence.outcome is not Outcome.BINARY or panel is None:
        return
    costs = evidence.contract.costs
    dearer = list(proven(evidence, list(_dearer(evidence, panel, costs)))) if costs is not None and any(costs) else []
    if dearer:
        yield min(dearer, key=lambda alarm: alarm.threshold or 0.0)
    else:
        yield from proven(evidence, list(_ranks(evidence, panel)))


def _dearer(evidence: LabelEvidence, panel: Panel, costs: tuple[float, float]) -> Iterator[Suspicion]:
    """The cost of calls against that of each other threshold."""
    whole, buckets = panel.whole, panel.buckets
    now = _cost(whole[:, Sum.CALLS] - whole[:, Sum.HITS], whole[:, Sum.Y] - whole[:, Sum.HITS], costs)
    n = whole[:, Sum.N]
    names = ["calling everybody", *(f"a threshold of {edge:.3g}" for edge in evidence.cohorts[-1].edges)]
    for first, name in enumerate([*names, "calling nobody"]):
        called, left = buckets[:, first:], buckets[:, :first]
        other = _cost((called[..., Sum.N] - called[..., Sum.Y]).sum(axis=1), left[..., Sum.Y].sum(axis=1), costs)
        sums = np.stack([now, other, n], axis=1)
        found = clustered(sums, lambda row: measures.over(float(row[0] - _DEARER * row[1]), float(row[2])), n)
        if found is not None:
            own, cheap = float(now.sum() / n.sum()), float(other.sum() / n.sum())
            message = (
                f"calls at {threshold_of(evidence.contract):g} cost {own:.3g} a row; {name} would cost {cheap:.3g}"
            )
            where, word = evidence.contract.prediction, severity(evidence, _CHECK)
            yield found.above(0.0), Alarm(_CHECK, word, message, where, score=own, threshold=_DEARER * cheap)


def _cost(false_positives: Floats, false_negatives: Floats, costs: tuple[float, float]) -> Floats:
    return costs[0] * false_positives + costs[1] * false_negatives


def _ranks(evidence: LabelEvidence, panel: Panel) -> Iterator[Suspicion]:
    if panel.total[Sum.Y] < _POSITIVES or panel.total[Sum.HITS] > 0:
        return
    area = auc_of(evidence.pairs).estimate()
    if area is None:
        return
    alarm = Alarm(
        _CHECK,
        severity(evidence, _CHECK) if evidence.contract.decision_threshold is not None else Severity.INFO,
        f"predictions rank well (area under the ROC curve {area.value:.2f}), but none of {panel.total[Sum.Y]:.0f} "
        f"positives reaches the threshold of {threshold_of(evidence.contract):g}",
        evidence.contract.prediction,
        score=area.value,
        threshold=_RANKS,
    )
    yield area.above(_RANKS), alarm
