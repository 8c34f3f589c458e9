"""The base rate: how often a prediction should come true, before its labels are there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import stdtrit

from tidegate_contracts.contract import Contract
from tidegate_contracts.outcome import Outcome, outcome_of
from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.bias_interval import BATCHES_SOUND
from tidegate_monitors.profile import Profile

BATCHES = 91
_SHARE = 0.1
_ROWS_MINIMUM = 20


def base_rate_gap(profile: Profile, rates: Sequence[float], contract: Contract) -> Alarm | None:
    """The mean prediction of a batch lies outside of where the share of positives of one more batch is expected.

    The expected range is the prediction interval of Student's t around the mean label of earlier mature batches, a
    tenth of the contract's budget for false alarms outside (1 in 200 batches where it states none): the batch is the
    unit, and days that differ among themselves widen it. A gap within ``bias_tolerance`` never alarms. Holds for
    batches whose shares of positives are about normal and independent.

    Source: G. J. Hahn, W. Q. Meeker (1991), Statistical Intervals, section 4.7 (one further observation).

    Args:
        profile: Of the batch.
        rates: The share of positives of earlier batches whose labels are mature, at most the latest 91.
        contract: What was promised.
    """
    column = profile.columns.get(contract.prediction or "")
    if column is None or outcome_of(contract) is not Outcome.BINARY or len(rates) < BATCHES_SOUND:
        return None
    mean, known = column.moments.mean, np.asarray(rates, dtype=np.float64)
    if column.moments.n < _ROWS_MINIMUM or not 0 <= mean <= 1:
        return None
    budget = contract.alarm_budget
    alpha = _SHARE / (budget.one_in if budget is not None else 20)
    reach = float(-stdtrit(known.size - 1, alpha / 2)) * float(known.std(ddof=1)) * (1 + 1 / known.size) ** 0.5
    gap, allowed = mean - float(known.mean()), max(reach, contract.bias_tolerance)
    if abs(gap) <= allowed:
        return None
    return Alarm(
        "base_rate_gap",
        contract.severity_of("base_rate_gap", Severity.WARNING),
        f"the mean prediction is {mean:.3g}; of {known.size} batches whose labels have come {known.mean():.3g} were "
        f"positive, and one more batch is expected within {allowed:.2g} of that",
        contract.prediction,
        score=abs(gap),
        threshold=allowed,
    )
