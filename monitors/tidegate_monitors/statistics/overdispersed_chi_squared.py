"""Chi-squared for rows that are not independent: divided by what the reference's own blocks do to it."""

from __future__ import annotations

import numpy as np
from scipy.special import fdtrc

from tidegate_monitors.statistics import Array, Reads, shares, statistic
from tidegate_monitors.statistics.chi_squared import chi_squared


@statistic(reads=Reads.CELLS, check="drift", symmetric=True, noise=0.0, needs="blocks")
def overdispersed_chi_squared(current: Array, reference: Array, blocks: Array) -> Array:
    """Chi-squared by its degrees of freedom and the reference's design effect, at least 0: an F statistic.

    Rows of one day resemble each other, so that a plain chi-squared is large on every day. The reference's blocks tell
    by how much (:func:`design_effect`); without drift this is about 1, whatever the number of rows. It holds for
    batches of about the size of the blocks. 0 where fewer than two blocks have rows: nothing is then known of days.
    Source: J. N. K. Rao and A. J. Scott (1981), Journal of the American Statistical Association 76(374), 221-230, with
    the design effect of S. S. Brier (1980), "Analysis of contingency tables under cluster sampling", Biometrika 67(3),
    591-596.

    Args:
        current: Counts, shape (..., cells).
        reference: Counts of the same cells.
        blocks: The reference's counts block by block, shape (B, cells) or (..., B, cells).

    >>> blocks = np.array([[8.0, 2.0], [2.0, 8.0], [5.0, 5.0]])
    >>> round(float(overdispersed_chi_squared(np.array([8.0, 2.0]), blocks.sum(axis=0), blocks)), 6)
    0.767263
    """
    free = np.maximum(((current + reference) > 0).sum(axis=-1) - 1, 1)
    effect = design_effect(blocks)
    known = np.isfinite(effect)
    return np.where(known, chi_squared(current, reference) / (free * np.where(known, effect, 1.0)), 0.0)


def design_effect(blocks: Array) -> Array:
    """By how much the blocks differ more than independent rows would, shape (...): chi-squared by degrees of freedom.

    At least 1; infinite where fewer than two blocks have rows. Empty blocks and cells count for nothing.

    Args:
        blocks: Counts, shape (..., B, cells).
    """
    rows = blocks.sum(axis=-1, keepdims=True)
    expected = rows * shares(blocks.sum(axis=-2))[..., None, :]
    terms = np.divide((blocks - expected) ** 2, expected, out=np.zeros_like(expected), where=expected > 0)
    held = (rows > 0).sum(axis=(-1, -2))
    free = (held - 1) * ((expected > 0).any(axis=-2).sum(axis=-1) - 1)
    effect = np.maximum(terms.sum(axis=(-1, -2)) / np.maximum(free, 1), 1.0)
    return np.where(held > 1, effect, np.inf)


def model_based_p_value(score: Array | float, cells: int, blocks: int) -> Array:
    """The chance of a score at least as large without drift, if the model holds: the tail of F(cells - 1, blocks - 1).

    Model-based: it takes the design effect to be the same for all cells and days, and blocks to be independent. With
    blocks - 1 degrees below, and not that many for each of the cells, it is the careful one of the two usual choices.

    Args:
        score: The statistic.
        cells: The number of cells that either side has seen, at least 2.
        blocks: The number of blocks with rows, at least 2.

    >>> round(float(model_based_p_value(4.0, cells=2, blocks=11)), 4)
    0.0734
    """
    return np.asarray(fdtrc(cells - 1, blocks - 1, score))
