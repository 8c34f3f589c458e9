"""How large a calibration error batches alone would make, were predictions right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri, stdtrit

from tidegate_monitors.calibration import ece
from tidegate_monitors.clustered import bartlett, unbiased
from tidegate_monitors.panel import Panel
from tidegate_monitors.tally import Sum

Floats = npt.NDArray[np.float64]

_DRAWS_MINIMUM = 4_000
_DRAWS_MAXIMUM = 1_000_000
_CHUNK = 20_000
_HITS = 20
"""How many draws are to lie beyond what is just proven."""


def mean_ece(panels: Sequence[Panel]) -> float:
    """The mean of the outcomes' expected calibration errors, in the label's unit; 0 without any."""
    return float(np.mean([ece(panel.buckets.sum(axis=0)) or 0.0 for panel in panels])) if panels else 0.0


def ece_p_value(panels: Sequence[Panel], excess: float, rng: np.random.Generator, level: float, tests: int) -> float:
    """How likely batches alone would make an error as large as this, in (0, 1].

    It is drawn from the batches' own deviations around each bucket's mean. They are multiplied by normal weights that
    are correlated as neighbouring batches may be, and widened as Student's t is for so few batches. By the triangle
    inequality the error measured exceeds the true one by no more.

    As many draws are made as to have 20 beyond what is just proven, at most a million. Where none of them is as large,
    the chance is at most Borell's bound for a norm of normal variables: exp(-(excess - mean)² / 2s²), where s is the
    greatest standard deviation of any sum of the buckets' errors with signs, here at most the sum of their own.

    Source: X. Shao (2010), Journal of the American Statistical Association 105(489), 218-235, the dependent wild
    bootstrap; C. Borell (1975), Inventiones mathematicae 30(2), 207-216, the bound.

    Args:
        panels: The outcomes, of the same batches; 2 or more.
        excess: The error measured, less what is tolerated.
        rng: Where the weights come from.
        level: At which it is to be proven, and where draws are to be as wide as Student's t; in (0, .5).
        tests: Among how many tests that level is divided.
    """
    if excess <= 0:
        return 1.0
    lefts, batches = [_left(panel) for panel in panels], len(panels[0].whole)
    root = np.linalg.cholesky(bartlett(batches))
    wide = float(stdtrit(batches - 1, 1 - level / 2) / ndtri(1 - level / 2)) * unbiased(batches) ** 0.5 / len(panels)
    draws = int(np.clip(_HITS * tests / level, _DRAWS_MINIMUM, _DRAWS_MAXIMUM))
    hits, total = 0, 0.0
    for start in range(0, draws, _CHUNK):
        weights = rng.standard_normal((min(_CHUNK, draws - start), batches)) @ root.T
        noise = wide * sum(np.abs(weights @ left).sum(axis=1) for left in lefts)
        hits, total = hits + int((noise >= excess).sum()), total + float(noise.sum())
    p_value = (1 + hits) / (1 + draws)
    beyond = excess - total / draws
    if hits or beyond <= 0:
        return p_value
    deviation = wide * sum(float(np.sqrt(((root.T @ left) ** 2).sum(axis=0)).sum()) for left in lefts)
    return min(p_value, float(np.exp(-(beyond**2) / (2 * deviation**2)))) if deviation > 0 else 0.0


def _left(panel: Panel) -> Floats:
    """What is left of the batches' errors around each bucket's mean, in shares of all rows; (batches, buckets)."""
    n, off = panel.buckets[..., Sum.N], panel.buckets[..., Sum.DIFFERENCE]
    found: Floats = (off - n * (off.sum(axis=0) / np.maximum(n.sum(axis=0), 1))) / n.sum()
    return found
