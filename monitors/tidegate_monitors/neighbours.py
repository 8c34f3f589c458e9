"""What neighbouring batches have in common, and how much less their mean is worth for it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tidegate_monitors.bias_cells import BiasCells, Family
from tidegate_monitors.bias_contrast import Effects

Floats = npt.NDArray[np.float64]

_GREATEST = 0.9


def neighbours(cells: BiasCells, *parts: Effects) -> Floats:
    """The correlation of one batch's effect with the next one's, shape (cells,); one for each family, in [0, .9].

    It is estimated over all cells of a family and all runs of batches together, each batch by its deviation from the
    mean of its run in the units that it should vary by, freed of what is lost by taking the mean out, and drawn to zero
    as far as it may be chance.

    Source: F. H. C. Marriott, J. A. Pope (1954), "Bias in the estimation of autocorrelations", Biometrika 41(3/4),
    390-402; the drawing W. James, C. Stein (1961), Fourth Berkeley Symposium 1, 361-379, its positive part.

    Args:
        cells: Which cells they are.
        parts: Runs of batches, each in the order of time; what a mean does from one run to the next is no likeness.
    """
    together, alone, lost, pairs = (np.zeros(len(cells.keys)) for _ in range(4))
    for part in parts:
        scale = np.sqrt(np.where(part.variance > 0, part.variance, 1.0))
        known = (part.weight > 0) & (part.variance > 0)
        left = np.where(known, (part.effect - part.mean()) / scale, 0.0)
        squares = (left**2).sum(axis=0)
        together += (left[1:] * left[:-1]).sum(axis=0)
        alone += squares
        lost += squares / np.maximum(part.batches, 1)
        pairs += (known[1:] & known[:-1]).sum(axis=0)
    families = np.array([key.family.value for key in cells.keys])
    found = np.zeros(families.size)
    for family in Family:
        mine = families == family.value
        total = alone[mine].sum()
        if total > 0:
            alike = _unbiased(float(together[mine].sum() / total), float(lost[mine].sum() / total))
            found[mine] = _drawn(alike, float(pairs[mine].sum()))
    return found


def inflation(alike: Floats, batches: npt.NDArray[np.int64], observed: npt.NDArray[np.int64]) -> Floats:
    """How many times more the mean of some batches varies if each is correlated with the next, shape (cells,).

    As of an autoregression of order one. The dispersion around a mean of correlated batches is too small for it, too,
    which is made up for.

    Args:
        alike: The correlation of neighbours, shape (cells,).
        batches: Over how many the mean is taken, shape (cells,).
        observed: Over how many the dispersion was, shape (cells,).
    """
    n = np.maximum(observed, 2)
    found: Floats = (1 + _tail(alike, batches)) / np.maximum(1 - _tail(alike, n) / (n - 1), 0.1)
    return found


def _tail(alike: Floats, batches: npt.NDArray[np.int64]) -> Floats:
    """What the correlations add to the variance of a mean."""
    n = np.maximum(batches, 1)
    found: Floats = 2 * alike / (1 - alike) * (1 - (1 - alike**n) / (n * (1 - alike)))
    return found


def _unbiased(correlation: float, lost: float) -> float:
    """The bias is about -(1 + 4 ρ) / n."""
    return float(np.clip((correlation + lost) / max(1 - 4 * lost, 0.5), 0.0, _GREATEST))


def _drawn(correlation: float, pairs: float) -> float:
    """Of so many pairs its variance is about 1 over their number."""
    return correlation * max(0.0, 1 - 1 / (pairs * correlation**2)) if correlation > 0 and pairs > 0 else 0.0
