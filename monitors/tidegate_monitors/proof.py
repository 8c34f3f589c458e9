"""Which of several suspicions about labels are proven, and how often such a proof is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.bias_interval import BATCHES_MINIMUM
from tidegate_monitors.label_rules import LabelEvidence
from tidegate_monitors.significance import holm

RULES = 13
"""Among how many rules the rate of false alarms is divided: those that draw a statistical conclusion."""

Suspicion = tuple[float, Alarm]
"""A p-value, and what is to be said if it is proven."""


def level(evidence: LabelEvidence) -> float:
    """How often one rule may be wrong in one judgement, so that all together are at most ``alpha``.

    Source: C. E. Bonferroni (1936), Pubblicazioni del R. Istituto Superiore di Scienze Economiche e Commerciali di
    Firenze 8, 3-62.
    """
    return evidence.alpha / RULES


def proven(evidence: LabelEvidence, suspicions: Sequence[Suspicion]) -> Iterator[Alarm]:
    """The alarms of those suspicions of one rule that hold, Holm's correction made for looking at all of them."""
    if suspicions:
        adjusted = holm(np.array([p for p, _ in suspicions]))
        for p, (_, alarm) in zip(adjusted, suspicions, strict=True):
            if p <= level(evidence):
                yield alarm


def severity(evidence: LabelEvidence, check: str, default: Severity = Severity.WARNING) -> Severity:
    """What the contract says of a check, else the default."""
    return evidence.contract.severity_of(check, default)


def too_few(evidence: LabelEvidence, check: str) -> Alarm:
    """A check that could not be made because labels of too few batches are there."""
    return Alarm(
        "insufficient_evidence",
        Severity.INFO,
        f"{check} is not judged: {len(evidence.cohorts)} batches have mature labels, and of batches alike in size at "
        f"least {BATCHES_MINIMUM} are needed",
        evidence.contract.prediction,
        kind="insufficient_evidence",
    )


def named(outcome: str) -> str:
    """How a message begins that is about one of several classes."""
    return f"class {outcome!r}: " if outcome else ""


def proven_or_told(
    evidence: LabelEvidence, suspicions: Sequence[Suspicion], weaker: Sequence[Suspicion]
) -> Iterator[Alarm]:
    """Of each suspicion its alarm if it is proven, else that of the weaker one in the same place if that is.

    Holm's correction is made in each of the two lists, which are equally long.
    """
    strong = {id(alarm) for alarm in proven(evidence, suspicions)}
    weak = {id(alarm) for alarm in proven(evidence, weaker)}
    for (_, alarm), (_, told) in zip(suspicions, weaker, strict=True):
        if id(alarm) in strong:
            yield alarm
        elif id(told) in weak:
            yield told
