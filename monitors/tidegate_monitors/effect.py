"""How much a difference matters, whichever statistic found it: in standard deviations of the reference."""

from __future__ import annotations

import math

from tidegate_monitors.comparison import Comparison

_MISSING_IN_SD = 5.0


def effect(comparison: Comparison) -> float:
    """The size of a comparison as that of a shift, in standard deviations of the reference; 0 without a score.

    A normal column shifted by d standard deviations has the Hellinger distance h = sqrt(1 - exp(-d²/8)) from its
    reference, so that a distance h counts as d = sqrt(-8 ln(1 - h²)). A spread of ratio r has h² = 1 -
    sqrt(2 r / (1 + r²)), a change of the missing rate by 1 % counts as .05, and a number of rows as ln of its ratio.
    Source: L. Pardo (2006), "Statistical Inference Based on Divergence Measures", table 1.1, for the distances.
    """
    score = comparison.score or 0.0
    if comparison.statistic == "missing_rate":
        return score * _MISSING_IN_SD
    if comparison.statistic == "spread":
        ratio = math.exp(score)
        return _shift(1 - math.sqrt(2 * ratio / (1 + ratio * ratio)))
    return _shift(score * score) if comparison.statistic == "hellinger" else score


def _shift(square: float) -> float:
    """The shift whose squared Hellinger distance is this."""
    return math.sqrt(-8 * math.log1p(-min(square, 1 - 1e-12))) if square > 0 else 0.0
