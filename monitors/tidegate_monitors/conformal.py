"""Layer 2: one batch ranked among the reference's own blocks, for a whole family of statistics at once.

The current batch is put among the reference's B blocks and all B + 1 are treated alike: each is scored against the
rest together, each score is divided by the root mean square of that statistic's other scores, and each block's number
is the largest of its family. Where the blocks are exchangeable, the rank of the current batch is uniform, so that an
alarm on rank k or better comes with probability at most k / (B + 1), for the family as a whole.

Source: V. Vovk, A. Gammerman, G. Shafer (2022), "Algorithmic Learning in a Random World", section 2.2 (the
transductive form); the largest of scaled scores as in R. Koenker (2000) and many others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


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


def rank(scores: Array, noise: Array, budget_one_in: int | None) -> Ranking:
    """Rank the last of B + 1 blocks.

    Args:
        scores: Sizes of scores, shape (statistics, B + 1), each block against all the others; the last is current.
        noise: For each statistic the size of sampling noise, below which no scale may fall, shape (statistics,).
        budget_one_in: At most one false alarm in this many batches; None asks for the best the blocks can give.
    """
    blocks = scores.shape[1]
    squares = scores**2
    others = (squares.sum(axis=1, keepdims=True) - squares) / (blocks - 1)
    scale = np.sqrt(np.maximum(others, noise[:, None] ** 2))
    largest = (scores / scale).max(axis=0)
    allowed = max(1, blocks // budget_one_in) if budget_one_in else 1
    critical = np.sort(largest[:-1])[-allowed]
    thresholds = scale[:, -1] * critical * (1 + 1e-9)  # a tie must not exceed by a rounding error
    return Ranking(float((largest >= largest[-1]).sum() / blocks), thresholds, blocks / allowed)
