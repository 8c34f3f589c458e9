"""Of cases called 70 % likely, it is not 70 % that come true."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tidegate_monitors import measures
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.ece_noise import ece_p_value, mean_ece
from tidegate_monitors.label_rules import LabelEvidence, label_rule
from tidegate_monitors.panel import Panel, held_against, judged
from tidegate_monitors.proof import Suspicion, level, named, proven, severity, too_few
from tidegate_monitors.tally import Sum

_CHECK = "miscalibration"
_SEED = 20130101


@label_rule
def miscalibration(evidence: LabelEvidence) -> Iterator[Alarm]:
    """The expected calibration error, or the slope of labels on predictions, is off by more than is tolerated.

    *Error.* Were predictions perfectly calibrated, the error measured would still not be zero. By the triangle
    inequality it exceeds the true one by at most the error of noise alone, which is drawn from the batches' own
    deviations (the dependent wild bootstrap, of a fixed seed). An alarm says that the true error is above
    ``bias_tolerance``; and that, as measured, it is above the reference's by as much. For several classes it is the
    mean of the classes' own.

    *Slope.* Predictions that are right on average, whatever they are, have slope 1, also where labels are 0 and 1. A
    slope counts as off if it moves a prediction one standard deviation from the mean by more than ``bias_tolerance``,
    and, as measured, by as much more than the reference's slope did. One-sided t tests clustered by batch, doubled for
    two sides.

    Both hold at the rule's share of ``alpha``, with Holm's correction. The score is the error, with the reference's
    plus the tolerance as the threshold; or the slope's distance from 1.

    Source: X. Shao (2010), Journal of the American Statistical Association 105(489), 218-235 (bootstrap); M. Kull et
    al. (2019), NeurIPS (classwise error); J. Mincer, V. Zarnowitz (1969), NBER (slope).
    """
    panels = {name: panel for name, panel in judged(evidence).items() if panel.total[Sum.N] > 0}
    if not panels:
        return
    if not all(panel.sound for panel in panels.values()):
        yield too_few(evidence, _CHECK)
        return
    suspicions = list(_of_error(evidence, panels))
    for outcome, panel in panels.items():
        suspicions += _of_slope(evidence, outcome, panel)
    yield from proven(evidence, suspicions)


def _of_error(evidence: LabelEvidence, panels: dict[str, Panel]) -> Iterator[Suspicion]:
    now = list(panels.values())
    known = [panel for outcome in panels if (panel := held_against(evidence, outcome)) is not None]
    compared = len(known) == len(now)
    error, usual = mean_ece(now), mean_ece(known) if compared else 0.0
    tolerance = evidence.contract.bias_tolerance
    if error <= usual + tolerance:
        return
    tests = 1 + len(now)
    p = ece_p_value(now, error - tolerance, np.random.default_rng(_SEED), level(evidence), tests)
    against = f"in the reference it was {usual:.3g}" if compared else "0 is right"
    message = (
        f"predictions miss the mean label of their bucket by {error:.3g} on average; {against}, and {tolerance:g} is "
        "tolerated"
    )
    where, word = evidence.contract.prediction, severity(evidence, _CHECK)
    yield p, Alarm(_CHECK, word, message, where, score=error, threshold=usual + tolerance)


def _of_slope(evidence: LabelEvidence, outcome: str, panel: Panel) -> Iterator[Suspicion]:
    found, spread = panel.estimate(measures.slope), measures.variance(panel.total, Sum.P, Sum.PP)
    if found is None or spread is None:
        return
    margin = evidence.contract.bias_tolerance / spread**0.5
    known = held_against(evidence, outcome)
    usual = known.estimate(measures.slope) if known is not None else None
    low = found.value < 1
    p = found.below(1 - margin) if low else found.above(1 + margin)
    if usual is not None and (usual.value - found.value if low else found.value - usual.value) <= margin:
        return
    before = "" if usual is None else f", in the reference {usual.value:.2f}"
    word = "extreme" if low else "timid"
    message = (
        f"{named(outcome)}labels rise by {found.value:.2f} where predictions rise by 1{before}: they are too {word}"
    )
    where = evidence.contract.prediction
    alarm = Alarm(_CHECK, severity(evidence, _CHECK), message, where, score=abs(found.value - 1), threshold=margin)
    yield min(1.0, 2 * p), alarm
