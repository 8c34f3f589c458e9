"""Layer 2: one batch ranked among the reference's own blocks, for a whole family of statistics at once.

The current batch is put among the reference's B blocks and all B + 1 are treated alike: each is scored against the
rest together, each score is divided by the root mean square of that statistic's other scores (about their mean, for
distances that sampling alone keeps from zero), and each block's number is the largest of its family. Where the blocks
are exchangeable, the rank of the current batch is uniform, so that an alarm on rank k or better comes with probability
at most k / (B + 1), for the family as a whole.

Source: V. Vovk, A. Gammerman, G. Shafer (2022), "Algorithmic Learning in a Random World", section 2.2 (the
transductive form); the largest of scaled scores as in R. Koenker (2000) and many others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Where the current batch stands.

    Attributes:
        p_value: The share of the B + 1 blocks that are at least as odd, in (0, 1].
        thresholds: For each statistic the score above which it alarms, shape (statistics,).
        one_in: The rate promised: one false alarm in so many exchangeable batches.
    """

    p_value: float
    thresholds: Array
    one_in: float


def rank(scores: Array, noise: Array, budget_one_in: int | None, centred: Flags | None = None) -> Ranking:
    """Rank the last of B + 1 blocks.

    Args:
        scores: Sizes of scores, shape (statistics, B + 1), each block against all the others; the last is current. NaN
            where a block has too few values to be scored: it then has no part in that statistic.
        noise: For each statistic the size of sampling noise, below which no scale may fall, shape (statistics,).
        budget_one_in: At most one false alarm in this many batches; None asks for the best the blocks can give.
        centred: Which statistics are never zero, even where nothing differs, and are read from their own mean; shape
            (statistics,). None for none.
    """
    blocks = scores.shape[1]
    centre, scale = _centre_and_scale(scores, noise, centred)
    largest = np.where(np.isnan(scores), -np.inf, (scores - centre) / scale).max(axis=0)
    allowed = max(1, blocks // budget_one_in) if budget_one_in else 1
    critical = max(float(np.sort(largest[:-1])[-allowed]), 0.0)
    thresholds = (centre[:, -1] + scale[:, -1] * critical) * (1 + 1e-9)  # a tie must not exceed by a rounding error
    return Ranking(float((largest >= largest[-1]).sum() / blocks), np.maximum(thresholds, 0.0), blocks / allowed)


def scaled(scores: Array, noise: Array) -> Array:
    """Each score over the root mean square of that statistic's other scores, shape (statistics, B + 1)."""
    centre, scale = _centre_and_scale(scores, noise, None)
    found: Array = (scores - centre) / scale
    return found


def _centre_and_scale(scores: Array, noise: Array, centred: Flags | None) -> tuple[Array, Array]:
    """Of each block's others: their mean (0 where not centred), and the root mean square about it."""
    known = ~np.isnan(scores)
    filled = np.where(known, scores, 0.0)
    others = np.maximum(known.sum(axis=1, keepdims=True) - known, 1)
    squares = filled**2
    power = (squares.sum(axis=1, keepdims=True) - squares) / others
    centre = np.zeros_like(filled)
    if centred is not None:
        centre[centred] = ((filled.sum(axis=1, keepdims=True) - filled) / others)[centred]
    return centre, np.sqrt(np.maximum(power - centre**2, noise[:, None] ** 2))
