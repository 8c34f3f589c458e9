"""What is predicted has become more or less common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tidegate_contracts.outcome import Outcome
from tidegate_contracts.severity import Severity
from tidegate_monitors import measures
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.cohort import Cohort
from tidegate_monitors.label_rules import LabelEvidence, label_rule
from tidegate_monitors.panel import held_against, judged
from tidegate_monitors.proof import Suspicion, named, proven, severity

_CHECK = "label_drift"


@label_rule
def label_drift(evidence: LabelEvidence) -> Iterator[Alarm]:
    """The mean label has moved by more than ``bias_tolerance`` from the reference's.

    Proven by a t test of two samples of batches with unequal variances, so that a move counts against what batches do
    among themselves, neighbours being alike, and not against what rows would do; either way, at the rule's share of
    ``alpha`` after Holm's correction over classes. Where ``season`` is the day of the year and the reference does not
    hold the months that are judged, a move may be the season's, and is information. The score is the move without its
    sign, in the label's unit.

    Source: B. L. Welch (1947), Biometrika 34(1/2), 28-35.
    """
    suspicions: list[Suspicion] = []
    tolerance = evidence.contract.bias_tolerance
    word = severity(evidence, _CHECK) if _in_season(evidence) else Severity.INFO
    for outcome, panel in judged(evidence).items():
        known = held_against(evidence, outcome)
        found, usual = panel.estimate(measures.mean_label), known.estimate(measures.mean_label) if known else None
        if found is None or usual is None:
            continue
        move = found.minus(usual)
        what = "mean label" if evidence.outcome is Outcome.NUMBER else "base rate"
        alarm = Alarm(
            _CHECK,
            word,
            f"{named(outcome)}the {what} is {found.value:.4g}; in the reference it was {usual.value:.4g} (standard "
            f"error of the difference {move.error:.2g})",
            evidence.contract.label,
            score=abs(move.value),
            threshold=tolerance,
        )
        suspicions.append((min(1.0, 2 * min(move.above(tolerance), move.below(-tolerance))), alarm))
    yield from proven(evidence, suspicions)


def _in_season(evidence: LabelEvidence) -> bool:
    """Whether the reference holds the months that are judged, where times of the year differ."""
    return evidence.contract.season != "day_of_year" or _months(evidence.cohorts) <= _months(evidence.reference)


def _months(cohorts: Sequence[Cohort]) -> set[int]:
    return {item.window.start.month for item in cohorts if item.window is not None}
