"""What a category says of a label, told by other rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FOLDS = 5
_PRIOR_ROWS = 5.0

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def folds(rows: int, rng: np.random.Generator) -> Ints:
    """For each row a fold, 0 to 4, at random and of equal size."""
    found: Ints = rng.permutation(rows).astype(np.int64) % FOLDS
    return found


def out_of_fold_means(codes: Ints, target: Floats, fold: Ints) -> tuple[Ints, Floats]:
    """For each row the mean target of its category in the other folds, shrunk to the mean of these folds.

    No row has a part in its own value, so a column with a value of its own for each row tells nothing. A category
    of n rows has the weight n / (n + 5). Missing values (-1) are a category.
    Source: D. Micci-Barreca (2001), ACM SIGKDD Explorations 3(1), 27-32.

    Args:
        codes: The category of each row, from -1, shape (n,).
        target: What is averaged, shape (n,).
        fold: The fold of each row, shape (n,).

    Returns:
        A place for each row, shape (n,), and a mean for each place, shape (places,): ``means[places]``.
    """
    levels = int(codes.max(initial=-1)) + 2
    place = (codes + 1) * FOLDS + fold
    sums = np.bincount(place, weights=target, minlength=levels * FOLDS).reshape(levels, FOLDS)
    counts = np.bincount(place, minlength=levels * FOLDS).reshape(levels, FOLDS)
    other_sums, other_counts = (part.sum(axis=1, keepdims=True) - part for part in (sums, counts))
    others = np.maximum(counts.sum() - counts.sum(axis=0), 1)
    mean = (sums.sum() - sums.sum(axis=0)) / others
    table = (other_sums + _PRIOR_ROWS * mean) / (other_counts + _PRIOR_ROWS)
    return place, table.reshape(-1)
