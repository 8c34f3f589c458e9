"""Shares of batches, and how far they can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv, stdtrit


@dataclass(frozen=True, slots=True)
class Rate:
    """How many of so many batches.

    Attributes:
        hits: Batches with an alarm.
        batches: All batches.
    """

    hits: int
    batches: int

    def __add__(self, other: Rate) -> Rate:
        return Rate(self.hits + other.hits, self.batches + other.batches)

    @property
    def share(self) -> float:
        """The share; 0 for none of none."""
        return self.hits / self.batches if self.batches else 0.0

    @property
    def upper(self) -> float:
        """The greatest share that so few hits leave possible, at 95 %, one-sided.

        Source: C. J. Clopper, E. S. Pearson (1934), Biometrika 26(4), 404-413.
        """
        if self.hits >= self.batches:
            return 1.0
        return float(betaincinv(self.hits + 1, self.batches - self.hits, 0.95))


@dataclass(frozen=True, slots=True)
class Spread:
    """A rate over several references.

    Attributes:
        rates: One a reference.
    """

    rates: tuple[Rate, ...]

    @property
    def total(self) -> Rate:
        """All together."""
        return sum(self.rates, Rate(0, 0))

    @property
    def upper(self) -> float:
        """The upper 95 % bound of the mean, one-sided, with the reference as the unit (Student's t)."""
        shares = np.array([rate.share for rate in self.rates])
        if len(shares) < 2:
            return 1.0
        return float(shares.mean() + stdtrit(len(shares) - 1, 0.95) * shares.std(ddof=1) / np.sqrt(len(shares)))

    @property
    def percentile_95(self) -> float:
        """The rate that one reference in twenty exceeds: of a beta distribution with the observed moments.

        The binomial part of the variance is taken out, since few batches a reference would widen it by themselves.
        """
        shares = np.array([rate.share for rate in self.rates])
        mean, each = float(shares.mean()), float(np.mean([1 / rate.batches for rate in self.rates]))
        if mean <= 0 or mean >= 1 or len(shares) < 2:
            return mean
        between = (float(shares.var(ddof=1)) - each * mean * (1 - mean)) / (1 - each)
        if between <= 1e-12:
            return mean
        weight = mean * (1 - mean) / between - 1
        return float(betaincinv(mean * weight, (1 - mean) * weight, 0.95)) if weight > 0 else 1.0
