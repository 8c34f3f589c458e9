"""The fixed map from a column's level to a normal score, made once from the reference's own blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

Floats = npt.NDArray[np.float64]

_DEGENERATE = 1e-9
_LARGEST = 1e100  # levels are standard deviations or shares; what lies beyond only has to stay finite


@dataclass(frozen=True, slots=True)
class Pit:
    """A probability integral transform: increasing, piecewise linear, straight beyond the reference's extremes.

    Between the reference's levels it is the normal score of their ranks, ties sharing their middle rank, so that no
    block's size counts for more than its place. Beyond them it goes on with the slope of the whole, so that a drift
    that has left the reference's range keeps counting.

    Source: B. L. van der Waerden (1952), Indagationes Mathematicae 14, 453-458; the transform is R. A. Fisher's (1932).

    Attributes:
        levels: The reference's different levels, ascending.
        scores: Their scores; without ties their mean is 0 and their variance 1, with ties the variance is less.
        slope: Scores for one unit of level beyond the extremes.
    """

    levels: tuple[float, ...]
    scores: tuple[float, ...]
    slope: float

    @classmethod
    def fit(cls, levels: Floats, effect_floor: float) -> Pit:
        """Make the map.

        Args:
            levels: Of the reference's blocks, finite, shape (blocks,), at least one.
            effect_floor: The scale of a column whose blocks are all alike; above 0.
        """
        bounded = np.clip(levels, -_LARGEST, _LARGEST)
        values, ties = np.unique(bounded, return_counts=True)
        size = float(np.abs(values).max())
        if values[-1] - values[0] <= _DEGENERATE * max(size, effect_floor):
            return cls((float(np.median(bounded)),), (0.0,), 1 / effect_floor)
        scores = ndtri((np.cumsum(ties) - ties / 2) / bounded.size)
        scores = (scores - (ties * scores).sum() / bounded.size) / _untied(bounded.size)
        own = np.sqrt((ties * scores**2).sum() / bounded.size)
        return cls(tuple(values.tolist()), tuple(scores.tolist()), float(own / _spread(bounded)))

    def __call__(self, levels: Floats) -> Floats:
        """The scores of levels, of the same shape; finite for every finite level."""
        bounded = np.clip(levels, -_LARGEST, _LARGEST)
        inside = np.interp(bounded, self.levels, self.scores)
        beyond = np.minimum(bounded - self.levels[0], 0) + np.maximum(bounded - self.levels[-1], 0)
        scores: Floats = inside + self.slope * beyond
        return scores

    def shift(self, effect: float, blocks: Floats) -> float:
        """How far a shift of all levels by ``effect`` moves the mean score of the reference's blocks, whichever way."""
        return max(float(self(blocks + effect).mean()), -float(self(blocks - effect).mean()), 0.0)


def _untied(blocks: int) -> float:
    """The root mean square of the normal scores of so many different levels."""
    return float(np.sqrt((ndtri((np.arange(blocks) + 0.5) / blocks) ** 2).mean()))


def _spread(levels: Floats) -> float:
    """The standard deviation, without squaring a number that is too small or too large for it."""
    centred = levels - levels.mean()
    size = float(np.abs(centred).max())
    return size * float(np.sqrt(((centred / size) ** 2).mean()))
