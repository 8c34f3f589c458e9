"""The model fails a group that is too small to move the total."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from tidegate_contracts.outcome import Outcome
from tidegate_contracts.severity import Severity
from tidegate_monitors import measures
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.clustered import Estimate, clustered
from tidegate_monitors.label_rules import LabelEvidence, label_rule
from tidegate_monitors.panel import Panel, contrast, held_against, judged
from tidegate_monitors.proof import Suspicion, named, proven_or_told, severity, too_few
from tidegate_monitors.tally import Sum

_CHECK = "weak_slice"
_WORSE = 1.1
_ROWS = 50

Floats = npt.NDArray[np.float64]


@label_rule
def weak_slice(evidence: LabelEvidence) -> Iterator[Alarm]:
    """In a slice the model leaves a tenth more unexplained than in the rest of the same batches.

    What is left unexplained is the squared error over the variance of the slice's own labels, so that a slice with a
    base rate nearer one half, or with greater numbers, is not weak for that alone. The ratio of the slice's share to
    the rest's is proven to be above 1.1, and above 1.1 times what it was in the reference. Where it is proven of
    itself and not against the reference, the slice was weak there too: that is information. Every slice with 50
    labelled rows is looked at; t tests clustered by batch on the log of the ratio, the rule's share of ``alpha`` after
    Holm's correction. The score is the ratio.

    In a slice whose rows are all alike there is little to explain, and the best model leaves most of it. So without a
    reference it is held against what its predictions say themselves: the squared error is also proven to be a tenth
    above p·(1 - p), which right probabilities have. Else, and where predictions are no probabilities, the slice is told
    of as information.

    Source of the search with a correction for its size: Y. Chung et al. (2019), "Slice Finder", ICDE, where rows are
    taken as independent; here batches are.
    """
    pairs: list[tuple[Suspicion, Suspicion]] = []
    unsound = False
    for outcome, panel in judged(evidence).items():
        unsound = unsound or (bool(panel.own) and not panel.sound)
        known = held_against(evidence, outcome)
        pairs += [pair for name in panel.own for pair in _of_slice(evidence, outcome, (panel, known), name)]
    if unsound:
        yield too_few(evidence, _CHECK)
    yield from proven_or_told(evidence, [first for first, _ in pairs], [second for _, second in pairs])


def _of_slice(
    evidence: LabelEvidence, outcome: str, panels: tuple[Panel, Panel | None], name: str
) -> Iterator[tuple[Suspicion, Suspicion]]:
    """What is suspected of a slice, and what is told of one that was as weak in the reference."""
    panel, known = panels
    found = _weakness(panel, name)
    if found is None:
        return
    usual = _weakness(known, name) if known is not None else None
    least = math.log(_WORSE)
    p = found.above(least)
    if usual is not None:
        proof = max(p, found.minus(usual).above(least))
    else:
        promised = _against_promise(panel, name) if evidence.outcome is not Outcome.NUMBER else None
        proof = 1.0 if promised is None else max(p, promised.above(least))
    told = _alarm(evidence, outcome, name, found, usual, Severity.INFO)
    yield (proof, _alarm(evidence, outcome, name, found, usual)), (p, told)


def _weakness(panel: Panel, name: str) -> Estimate | None:
    """The log of the ratio; None for few rows."""
    part = panel.slice(name)
    if part[:, Sum.N].sum() < _ROWS:
        return None
    return contrast(part, panel.whole - part, _log_ratio)


def _against_promise(panel: Panel, name: str) -> Estimate | None:
    """The log of a slice's squared error over p·(1 - p); None where predictions are 0 and 1 themselves."""
    part = panel.slice(name)
    return clustered(part, _log_promise, part[:, Sum.N])


def _log_promise(sums: Floats) -> float | None:
    ratio = measures.over(measures.squared(sums), float(sums[Sum.P] - sums[Sum.PP]))
    return math.log(ratio) if ratio else None


def _log_ratio(part: Floats, rest: Floats) -> float | None:
    own, others = measures.loss_ratio(part), measures.loss_ratio(rest)
    return math.log(own / others) if own and others else None


def _alarm(
    evidence: LabelEvidence,
    outcome: str,
    name: str,
    found: Estimate,
    usual: Estimate | None,
    told: Severity | None = None,
) -> Alarm:
    ratio = math.exp(found.value)
    before = "" if usual is None else f"; in the reference it was {math.exp(usual.value):.2f} times"
    return Alarm(
        _CHECK,
        told or severity(evidence, _CHECK),
        f"{named(outcome)}where {name} the model leaves {ratio:.2f} times as much unexplained as elsewhere{before}",
        evidence.contract.prediction,
        slice=name,
        score=ratio,
        threshold=_WORSE * (math.exp(max(0.0, usual.value)) if usual is not None and told is None else 1.0),
    )
