"""The model is no better than always saying the commonest thing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from tidegate_contracts.outcome import Outcome
from tidegate_contracts.severity import Severity
from tidegate_monitors import measures
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.clustered import clustered
from tidegate_monitors.cohort import WHOLE
from tidegate_monitors.label_rules import LabelEvidence, label_rule
from tidegate_monitors.panel import Panel, judged
from tidegate_monitors.proof import Suspicion, named, proven, severity, too_few
from tidegate_monitors.skill import confusions
from tidegate_monitors.tally import Sum
from tidegate_monitors.threshold import threshold_of

_CHECK = "no_skill"
_LEAST = 0.01
_POSITIVES = 20

Floats = npt.NDArray[np.float64]


@label_rule
def no_skill(evidence: LabelEvidence) -> Iterator[Alarm]:
    """The squared error is that of always saying the mean, calls do harm, or no positive is ever called.

    *Skill*, 1 - squared error / variance of labels, is proven to be below .01. (A test against 0 would never find the
    model that always says the base rate.) *Calls*: what they gain is proven to be less than that of calling nobody, or
    everybody, whichever is better. With the threshold t a call gains 1 if it comes true and costs t / (1 - t) if not,
    which at t = .5 compares accuracy with that of the commonest class; of several classes it is just that. One-sided t
    tests clustered by batch, at the rule's share of ``alpha`` after Holm's correction; several classes are looked at
    together, by the sum of their squared errors.

    *No hit* needs no test: 20 positives or more in the window, and none was called. It is a warning where the contract
    has a decision threshold or anything was called, else information. The score is recall, 0; the threshold is the
    least number above it.

    Source: A. H. Murphy (1988), Monthly Weather Review 116(12), 2417-2424 (skill); A. J. Vickers, E. B. Elkin (2006),
    Medical Decision Making 26(6), 565-574 (net benefit).
    """
    panels = judged(evidence)
    for outcome, panel in panels.items():
        yield from _no_hit(evidence, outcome, panel)
    labelled = [panel for panel in panels.values() if panel.total[Sum.N] > 0]
    if labelled and not all(panel.sound for panel in labelled):
        yield too_few(evidence, _CHECK)
    elif labelled:
        yield from proven(evidence, [*_no_better(evidence, labelled), *_harmful(evidence, panels)])


def _no_hit(evidence: LabelEvidence, outcome: str, panel: Panel) -> Iterator[Alarm]:
    if evidence.outcome is Outcome.NUMBER:
        return
    positives, hits, calls = (round(float(panel.total[item])) for item in (Sum.Y, Sum.HITS, Sum.CALLS))
    if positives < _POSITIVES or hits:
        return
    meant = calls or evidence.contract.decision_threshold is not None or outcome
    yield Alarm(
        _CHECK,
        severity(evidence, _CHECK) if meant else Severity.INFO,
        f"{named(outcome)}none of {positives} positives was called positive ({calls} calls in all)",
        evidence.contract.prediction,
        score=0.0,
        threshold=1 / positives,
    )


def _no_better(evidence: LabelEvidence, panels: list[Panel]) -> Iterator[Suspicion]:
    sums = np.stack([panel.whole for panel in panels], axis=1)
    found = clustered(sums, measures.joint_skill, panels[0].whole[:, Sum.N])
    if found is None:
        return
    yield (
        found.below(_LEAST),
        Alarm(
            _CHECK,
            severity(evidence, _CHECK),
            f"skill is {found.value:.3f} (standard error {found.error:.3f}): always saying the mean label would do as "
            "well",
            evidence.contract.prediction,
            score=found.value,
            threshold=_LEAST,
        ),
    )


def _harmful(evidence: LabelEvidence, panels: dict[str, Panel]) -> Iterator[Suspicion]:
    if evidence.outcome is Outcome.CLASSES:
        confusion = confusions(evidence.cohorts)
        found = clustered(confusion, _beyond_majority, confusion.sum(axis=(1, 2)))
        what = "accuracy is {:.3f} below that of always naming the commonest class"
    elif evidence.outcome is Outcome.BINARY and panels[WHOLE].total[Sum.CALLS] > 0:
        odds = _odds(threshold_of(evidence.contract))
        found = panels[WHOLE].estimate(lambda sums: _beyond_default(sums, odds))
        what = "calls gain {:.3f} a row less than calling nobody or everybody"
    else:
        return
    if found is not None:
        where = evidence.contract.prediction
        message = what.format(-found.value) + f" (standard error {found.error:.3f})"
        yield (
            found.below(0.0),
            Alarm(_CHECK, severity(evidence, _CHECK), message, where, score=found.value, threshold=0.0),
        )


def _odds(threshold: float) -> float:
    return threshold / (1 - threshold)


def _beyond_default(sums: Floats, odds: float) -> float | None:
    """What calls gain a row beyond calling nobody (0), or everybody if that is better."""
    hits, calls, positives, n = (float(sums[item]) for item in (Sum.HITS, Sum.CALLS, Sum.Y, Sum.N))
    gain = hits - (calls - hits) * odds
    return measures.over(gain - max(0.0, positives - (n - positives) * odds), n)


def _beyond_majority(confusion: Floats) -> float | None:
    right, most = float(np.trace(confusion)), float(confusion.sum(axis=0).max())
    return measures.over(right - most, float(confusion.sum()))
