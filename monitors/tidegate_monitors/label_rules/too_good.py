"""The model is suddenly better than it can be."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate_contracts.outcome import Outcome
from tidegate_monitors import measures
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.auc import auc_of
from tidegate_monitors.label_rules import LabelEvidence, label_rule
from tidegate_monitors.panel import Panel, held_against, judged
from tidegate_monitors.proof import Suspicion, named, proven, severity
from tidegate_monitors.tally import Sum

_CHECK = "too_good"
_GAIN = 0.15
_PERFECT = 0.995
_ROWS = 200
_EACH = 20
_NEAR = 0.05


@label_rule
def too_good(evidence: LabelEvidence) -> Iterator[Alarm]:
    """Skill is far above the reference's, or predictions know the label: mostly a label that leaked into the inputs.

    *Jump*: skill, 1 - squared error / variance of labels, is proven to be more than .15 above the reference's, by a t
    test of two samples of batches with unequal variances at the rule's share of ``alpha`` after Holm's correction.

    *Perfect*: of 200 rows or more, 20 of each class, the area under the ROC curve is above .995 (for numbers, R² is).
    That needs no test: honest models of what people and weather do are far from it, and one that is not has a reference
    with skill as high, within .05, which silences it.

    Source: S. Kaufman, S. Rosset, C. Perlich (2012), "Leakage in data mining", ACM TKDD 6(4): leaks are known by models
    that are too good.
    """
    suspicions: list[Suspicion] = []
    for outcome, panel in judged(evidence).items():
        known = held_against(evidence, outcome)
        if known is not None:
            suspicions += _jump(evidence, outcome, panel, known)
        yield from _perfect(evidence, outcome, panel, known)
    yield from proven(evidence, suspicions)


def _jump(evidence: LabelEvidence, outcome: str, panel: Panel, known: Panel) -> Iterator[Suspicion]:
    found, usual = panel.estimate(measures.skill), known.estimate(measures.skill)
    if found is None or usual is None:
        return
    alarm = Alarm(
        _CHECK,
        severity(evidence, _CHECK),
        f"{named(outcome)}skill is {found.value:.2f}; in the reference it was {usual.value:.2f}",
        evidence.contract.prediction,
        score=found.value,
        threshold=usual.value + _GAIN,
    )
    yield found.minus(usual).above(_GAIN), alarm


def _perfect(evidence: LabelEvidence, outcome: str, panel: Panel, known: Panel | None) -> Iterator[Alarm]:
    skill = measures.skill(panel.total)
    usual = measures.skill(known.total) if known is not None else None
    if skill is None or panel.total[Sum.N] < _ROWS or (usual is not None and skill <= usual + _NEAR):
        return
    value, what = skill, "R²"
    if evidence.outcome is not Outcome.NUMBER:
        area = auc_of(evidence.pairs, outcome)
        if area.value is None or min(area.positives, area.negatives) < _EACH:
            return
        value, what = area.value, "the area under the ROC curve"
    if value > _PERFECT:
        message = f"{named(outcome)}{what} is {value:.4f} on {panel.total[Sum.N]:.0f} rows"
        where = evidence.contract.prediction
        yield Alarm(_CHECK, severity(evidence, _CHECK), message, where, score=value, threshold=_PERFECT)
