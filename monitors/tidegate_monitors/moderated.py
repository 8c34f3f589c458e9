"""Variances of many cells, each moderated by what all of them show."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np
import numpy.typing as npt
from scipy.special import digamma, polygamma

Floats = npt.NDArray[np.float64]

_STEPS = 50


@dataclass(frozen=True, slots=True, eq=False)
class Moderated:
    """Variances with the degrees of freedom that they are worth.

    Attributes:
        variances: Shape (cells,).
        freedom: Degrees of freedom, shape (cells,); may be infinite.
    """

    variances: Floats
    freedom: Floats


def moderated(variances: Floats, freedom: Floats) -> Moderated:
    """Each cell's variance drawn towards a common one, as far as the cells are alike.

    The common variance s0² and its degrees of freedom d0 are those of the scaled F-distribution that the logs of the
    cells' variances have the moments of; a cell's own becomes (d0·s0² + d·s²) / (d0 + d) with d0 + d degrees of
    freedom. Cells without a degree of freedom get the common one; fewer than three cells are left as they are.

    Source: G. K. Smyth (2004), "Linear models and empirical Bayes methods for assessing differential expression in
    microarray experiments", Statistical Applications in Genetics and Molecular Biology 3(1), sections 3 and 6.2.

    Args:
        variances: Not negative, shape (cells,).
        freedom: Of each, not negative, shape (cells,).
    """
    used = (freedom > 0) & (variances > 0)
    if used.sum() < 3:
        return Moderated(variances, freedom)
    halves = freedom[used] / 2
    logs = np.log(variances[used]) - digamma(halves) + np.log(halves)
    excess = float(logs.var(ddof=1) - polygamma(1, halves).mean())
    if excess > 0:
        prior = 2 * _trigamma_inverse(excess)
        common = float(np.exp(logs.mean() + digamma(prior / 2) - np.log(prior / 2)))
        drawn = (prior * common + freedom * variances) / (prior + freedom)
        return Moderated(drawn, prior + freedom)
    pooled = float((variances[used] * freedom[used]).sum() / freedom[used].sum())
    return Moderated(np.full_like(variances, pooled), np.full_like(freedom, inf))


def _trigamma_inverse(value: float) -> float:
    """The x > 0 whose trigamma is ``value``, by Newton's method on its reciprocal."""
    if value > 1e7:
        return float(value**-0.5)
    if value < 1e-6:
        return 1 / value
    x = 0.5 + 1 / value
    for _ in range(_STEPS):
        here = float(polygamma(1, x))
        step = here * (1 - here / value) / float(polygamma(2, x))
        x += step
        if -step / x < 1e-8:
            break
    return x
