"""Mergeable moments of a column of numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Moments:
    """Count, mean and sum of squared deviations.

    Merging is the pairwise update of Chan, Golub and LeVeque (1983), "Algorithms for computing the sample variance",
    The American Statistician 37(3), 242-247.

    Where a sum would overflow, what was seen so far is forgotten: no moment is ever infinite or NaN.

    Attributes:
        n: How many values.
        mean: Their mean; 0 where there are none.
        m2: The sum of squared deviations from the mean.
    """

    n: int = 0
    mean: float = 0.0
    m2: float = 0.0

    @classmethod
    def of(cls, values: npt.NDArray[np.float64]) -> Moments:
        """The moments of finite values, shape (n,)."""
        if not values.size:
            return cls()
        with np.errstate(over="ignore", invalid="ignore"):
            mean = float(np.add.reduce(values)) / values.size
            deviations = values - mean
            m2 = float(np.add.reduce(np.square(deviations, out=deviations)))
        # values near the largest float overflow their own sum; such a column has no usable moments
        return cls(int(values.size), mean, m2) if math.isfinite(mean) and math.isfinite(m2) else cls()

    def __add__(self, other: Moments) -> Moments:
        n = self.n + other.n
        if not self.n or not other.n:
            return self if self.n else other
        delta = other.mean - self.mean
        mean = self.mean + delta * (other.n / n)
        m2 = self.m2 + other.m2 + delta * delta * (self.n * (other.n / n))
        return Moments(n, mean, m2) if math.isfinite(mean) and math.isfinite(m2) else Moments()

    @property
    def sd(self) -> float:
        """The standard deviation, with n in the denominator; 0 for no values."""
        return math.sqrt(max(self.m2, 0.0) / self.n) if self.n else 0.0
