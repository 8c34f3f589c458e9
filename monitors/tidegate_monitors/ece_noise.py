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

_DRAWS = 4000


def mean_ece(panels: Sequence[Panel]) -> float:
    """The mean of the outcomes' expected calibration errors, in the label's unit; 0 without any."""
    return float(np.mean([ece(panel.buckets.sum(axis=0)) or 0.0 for panel in panels])) if panels else 0.0


def ece_noise(panels: Sequence[Panel], rng: np.random.Generator, tail: float) -> Floats:
    """Draws of that error from the batches' own deviations around each bucket's mean, shape (draws,).

    Deviations are multiplied by normal weights that are correlated as neighbouring batches may be, and widened as
    Student's t is for so few batches. By the triangle inequality the error measured exceeds the true one by no more.
    Source: X. Shao (2010), Journal of the American Statistical Association 105(489), 218-235, the dependent wild
    bootstrap.

    Args:
        panels: The outcomes, of the same batches; 2 or more.
        rng: Where the weights come from.
        tail: The probability at which the draws are to be as wide as Student's t, in (0, .5).
    """
    batches = len(panels[0].whole)
    draws = rng.standard_normal((_DRAWS, batches)) @ np.linalg.cholesky(bartlett(batches)).T
    found = np.zeros(_DRAWS)
    for panel in panels:
        n = panel.buckets[..., Sum.N]
        off = panel.buckets[..., Sum.P] - panel.buckets[..., Sum.Y]
        left = off - n * (off.sum(axis=0) / np.maximum(n.sum(axis=0), 1))
        found += np.abs(draws @ left).sum(axis=1) / n.sum()
    wide = float(stdtrit(batches - 1, 1 - tail / 2) / ndtri(1 - tail / 2)) * unbiased(batches) ** 0.5
    noise: Floats = wide * found / len(panels)
    return noise
