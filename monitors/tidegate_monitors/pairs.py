"""Predictions with their labels, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Predictions with their labels, of one batch and one class; every array has shape (rows,), without NaN.

    Attributes:
        batch: The batch.
        outcome: The class that is told from the rest; ``""`` for a number and for two classes.
        prediction: What was predicted: a number, or a probability.
        label: What came true: a number, or 0 and 1.
        called: Whether the case counted as positive.
    """

    batch: str
    outcome: str
    prediction: npt.NDArray[np.float64]
    label: npt.NDArray[np.float64]
    called: npt.NDArray[np.bool_]


def no_pairs() -> Iterator[Pairs]:
    """No rows at hand."""
    return iter(())
