"""Rows look the same, but other things come true of them."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate_monitors import measures
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.clustered import Estimate
from tidegate_monitors.label_rules import LabelEvidence, label_rule
from tidegate_monitors.panel import Panel, held_against, judged
from tidegate_monitors.proof import Suspicion, named, proven, severity, too_few
from tidegate_monitors.tally import Sum

_CHECK = "concept_drift"
_ROWS = 50


@label_rule
def concept_drift(evidence: LabelEvidence) -> Iterator[Alarm]:
    """Of rows with the same prediction another share comes true than in the reference, while inputs are calm.

    By bucket, the mean label less the mean prediction has moved by more than ``bias_tolerance``, either way: taking the
    prediction off leaves out what moves within a bucket. A t test of two samples of batches with unequal variances,
    neighbours being alike; at the rule's share of ``alpha`` after Holm's correction over buckets and classes. One alarm
    tells the bucket that moved most, and how many did. Not looked at where an input was found to drift: then rows do
    not look the same, and it is drift that is to be mended. The score is the move without its
    sign, in the label's unit.

    Source: J. G. Moreno-Torres et al. (2012), Pattern Recognition 45(1), 521-530, for the term (P(y|x) moves, P(x)
    does not); B. L. Welch (1947), Biometrika 34(1/2), 28-35.
    """
    if evidence.calm is False or not evidence.reference:
        return
    suspicions: list[Suspicion] = []
    for outcome, panel in judged(evidence).items():
        known = held_against(evidence, outcome)
        if known is None or not panel.sound:
            if panel.total[Sum.N] > 0:
                yield too_few(evidence, _CHECK)
            return
        for bucket in range(panel.table.shape[2]):
            suspicions += _of_bucket(evidence, outcome, panel, known, bucket)
    found = list(proven(evidence, suspicions))
    if found:
        worst = max(found, key=lambda alarm: alarm.score or 0.0)
        yield Alarm(
            _CHECK,
            worst.severity,
            f"{worst.message}; so moved {len(found)} of {len(suspicions)} buckets",
            worst.column,
            score=worst.score,
            threshold=worst.threshold,
        )


def _of_bucket(evidence: LabelEvidence, outcome: str, panel: Panel, known: Panel, bucket: int) -> Iterator[Suspicion]:
    if min(panel.buckets[:, bucket, Sum.N].sum(), known.buckets[:, bucket, Sum.N].sum()) < _ROWS:
        return
    found, usual = (item.of_bucket(bucket, measures.mean_error) for item in (panel, known))
    if found is None or usual is None:
        return
    move, tolerance = _negative(found.minus(usual)), evidence.contract.bias_tolerance
    now, before = (measures.mean_label(item.buckets[:, bucket].sum(axis=0)) or 0.0 for item in (panel, known))
    side = "above" if move.value > 0 else "below"
    alarm = Alarm(
        _CHECK,
        severity(evidence, _CHECK),
        f"{named(outcome)}in bucket {bucket} of the predictions the mean label is {now:.4g}, {abs(move.value):.3g} "
        f"{side} what it was in the reference at equal predictions ({before:.4g})",
        evidence.contract.prediction,
        score=abs(move.value),
        threshold=tolerance,
    )
    yield min(1.0, 2 * min(move.above(tolerance), move.below(-tolerance))), alarm


def _negative(estimate: Estimate) -> Estimate:
    return Estimate(-estimate.value, estimate.error, estimate.freedom)
