"""Looking at several windows that end with the same batch, the longer holding the shorter."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import log_ndtr, ndtr, ndtri

Floats = npt.NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)
_GRID = np.linspace(0.5, 6.5, 31)


def nested_level(p_value: Floats, lengths: tuple[int, ...]) -> Floats:
    """The p-value of the least of several two-sided p-values over nested windows.

    The sums over the windows are those of a random walk at the times ``lengths``, which is Markov, so that the chance
    that none leaves its bound is an integral of one dimension at a time. Beyond 6.5 standard deviations it is the sum
    over the windows, which is never too small.

    Source: P. Armitage, C. K. McPherson, B. C. Rowe (1969), "Repeated significance tests on accumulating data", Journal
    of the Royal Statistical Society A 132(2), 235-244.

    Args:
        p_value: The least of each cell, in [0, 1], shape (cells,).
        lengths: Batches in each window, ascending.
    """
    bound = np.minimum(1.0, p_value * len(lengths))
    if len(lengths) < 2:
        return bound
    z = -ndtri(np.clip(p_value, 1e-300, 1.0) / 2)
    logs = _log_levels(lengths)
    inside = (z >= _GRID[0]) & (z <= _GRID[-1])
    found = np.exp(np.interp(z, _GRID, logs))
    exact = np.where(z < _GRID[0], 1.0, np.where(inside, found, bound))
    least: Floats = np.clip(np.minimum(exact, bound), p_value, 1.0)
    return least


@lru_cache(maxsize=64)
def _log_levels(lengths: tuple[int, ...]) -> Floats:
    """The log of the p-value for each bound of the grid."""
    return np.array([np.log(_level(float(z), lengths)) for z in _GRID])


def _level(z: float, lengths: tuple[int, ...]) -> float:
    """The chance that a walk leaves ±z standard deviations at any of some times."""
    first = float(lengths[0])
    unit, weights = z * _NODES, z * _WEIGHTS
    density = np.exp(-(unit**2) / 2) / np.sqrt(2 * np.pi)
    left = 2 * float(np.exp(log_ndtr(-z)))
    time = first
    for following in lengths[1:]:
        now, then = np.sqrt(time), np.sqrt(float(following))
        gap = np.sqrt(following - time)
        reached = unit * now
        above = ndtr((reached - z * then) / gap) + ndtr((-reached - z * then) / gap)
        left += float((density * weights * above).sum())
        scaled = (unit[:, None] * then - reached[None, :]) / gap
        kernel = np.exp(-(scaled**2) / 2) / np.sqrt(2 * np.pi) * then / gap
        density = kernel @ (density * weights)
        time = float(following)
    return min(1.0, left)
