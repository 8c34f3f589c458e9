"""Whether a difference of counts can be chance, also when many are looked at."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc

Floats = npt.NDArray[np.float64]


def homogeneity(first: Floats, second: Floats) -> float:
    """The p-value that two rows of counts, shape (cells,) each, come from the same shares; 1 where nothing differs.

    Pearson's chi-squared without a continuity correction; cells that are empty in both take no part.
    Source: K. Pearson (1900), Philosophical Magazine 50(302), 157-175; for contingency tables R. A. Fisher (1922),
    Journal of the Royal Statistical Society 85(1), 87-94.
    """
    table = np.stack([first, second])
    table = table[:, table.sum(axis=0) > 0]
    totals = table.sum(axis=1, keepdims=True)
    if table.shape[1] < 2 or not (totals > 0).all():
        return 1.0
    expected = totals * table.sum(axis=0, keepdims=True) / table.sum()
    return float(chdtrc(table.shape[1] - 1, ((table - expected) ** 2 / expected).sum()))


def holm(p_values: Floats, weights: Floats | None = None) -> Floats:
    """P-values adjusted so that the chance of any false rejection is at most the level, shape (tests,).

    Source: S. Holm (1979), Scandinavian Journal of Statistics 6(2), 65-70; with weights, section 5 there and
    Y. Benjamini, Y. Hochberg (1997), Scandinavian Journal of Statistics 24(3), 407-418.

    Args:
        p_values: Shape (tests,).
        weights: What each test may have of the level, positive; None for the same.

    >>> holm(np.array([0.01, 0.04, 0.03])).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    shares = np.ones(p_values.size) if weights is None else weights
    order = np.argsort(p_values / shares, kind="stable")
    left = np.cumsum(shares[order][::-1])[::-1]
    steps = p_values[order] / shares[order] * left
    adjusted = np.empty(p_values.size)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted
