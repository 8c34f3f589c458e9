"""An estimate with its error where the batch is the unit of replication."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr

from tidegate_monitors.bias_interval import BATCHES_MINIMUM, effective_batches

Floats = npt.NDArray[np.float64]
Measure = Callable[[Floats], float | None]
"""A function of sums; None where it is not defined."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What was measured over some batches, and how far it can be believed.

    Attributes:
        value: The measure of all rows together.
        error: Its standard error, from what batches do; zero or more.
        freedom: The degrees of freedom of that error, above zero.
    """

    value: float
    error: float
    freedom: float

    def above(self, limit: float) -> float:
        """The one-sided p-value of the true value being at most ``limit``."""
        return self._tail(limit - self.value)

    def below(self, limit: float) -> float:
        """The one-sided p-value of the true value being at least ``limit``."""
        return self._tail(self.value - limit)

    def minus(self, other: Estimate) -> Estimate:
        """The difference of two independent estimates.

        Source of its degrees of freedom: B. L. Welch (1947), Biometrika 34(1/2), 28-35.
        """
        mine, theirs = self.error**2, other.error**2
        total = mine + theirs
        parts = mine**2 / self.freedom + theirs**2 / other.freedom
        freedom = total**2 / parts if parts > 0 else min(self.freedom, other.freedom)
        return Estimate(self.value - other.value, math.sqrt(total), freedom)

    def at_least(self, error: float) -> Estimate:
        """The same with an error that is no smaller than this."""
        return Estimate(self.value, max(self.error, error), self.freedom)

    def _tail(self, distance: float) -> float:
        if self.error > 0:
            return float(stdtr(self.freedom, distance / self.error))
        return 0.0 if distance < 0 else 1.0


def clustered(sums: Floats, measure: Measure, weight: Floats) -> Estimate | None:
    """A measure of all batches' sums, its error by leaving out one batch at a time.

    The delete-one jackknife over batches holds for any smooth function of sums and errs on the safe side with few
    batches. Source: B. Efron, C. Stein (1981), Annals of Statistics 9(3), 586-596; for clusters A. C. Cameron,
    D. L. Miller (2015), Journal of Human Resources 50(2), 317-372, section VI.

    Args:
        sums: Of each batch in the order of time, shape (batches, ...).
        measure: Takes sums of shape (...).
        weight: The rows that each batch counts for, shape (batches,); batches without any take no part.

    Returns:
        None for fewer than 5 batches (unequal ones counted for less), and where the measure is not defined, with all
        batches or without one of them.
    """
    used = weight > 0
    kept, weight = sums[used], weight[used]
    if not enough(weight):
        return None
    whole = kept.sum(axis=0)
    value = measure(whole)
    without = [measure(whole - item) for item in kept]
    if value is None or any(item is None for item in without):
        return None
    left = np.array(without, dtype=np.float64)
    return from_influences(value, (left.mean() - left) * (left.size - 1) / left.size, weight)


def enough(weight: Floats) -> bool:
    """Whether batches of these sizes count as 5 or more."""
    return effective_batches(weight) >= BATCHES_MINIMUM - 0.5


def from_influences(value: float, influences: Floats, weight: Floats) -> Estimate | None:
    """An estimate from how far each batch moved it.

    Batches that follow one another may be alike, so that the variance is the greater of the one for independent batches
    and that of Newey and West, with the lag 4 (batches / 100)^(2/9), freed of the bias that centred influences give it.
    Source: W. K. Newey, K. D. West (1987), Econometrica 55(3), 703-708; (1994), Review of Economic Studies 61(4),
    631-653 for the lag.

    Args:
        value: The estimate.
        influences: Of each batch in the order of time, shape (batches,); they add up to zero.
        weight: The rows of each batch, shape (batches,).
    """
    batches = influences.size
    if not enough(weight) or not np.isfinite(influences).all() or not math.isfinite(value):
        return None
    alone = float((influences**2).sum())
    together = float(influences @ bartlett(batches) @ influences)
    variance = max(alone * batches / (batches - 1), together * unbiased(batches))
    return Estimate(value, math.sqrt(variance), effective_batches(weight) - 1)


def bartlett(batches: int) -> Floats:
    """The weights by which neighbouring batches count together, shape (batches, batches); 1 on the diagonal."""
    place = np.arange(batches)
    weights: Floats = np.maximum(0.0, 1 - np.abs(place[:, None] - place[None, :]) / (_lag(batches) + 1))
    return weights


def unbiased(batches: int) -> float:
    """By what a variance with these weights is too small on average where influences are centred and independent."""
    lost = float(bartlett(batches).sum()) / batches**2
    return 1 / (1 - lost)


def _lag(batches: int) -> int:
    return math.floor(4 * math.pow(batches / 100, 2 / 9))
