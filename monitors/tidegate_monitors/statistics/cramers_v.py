"""Cramér's V."""

from __future__ import annotations

import numpy as np

from tidegate_monitors.statistics import Array, Reads, statistic
from tidegate_monitors.statistics.chi_squared import chi_squared


@statistic(reads=Reads.CELLS, check="drift", symmetric=True, bound=1.0)
def cramers_v(current: Array, reference: Array) -> Array:
    """Cramér's V between the cell and the side, in [0, 1]: sqrt(chi-squared / rows of both sides).

    1 where no cell has rows of both sides. It depends on how many rows each side has: with a reference far larger than
    the batch it stays small. Binning can only lower it.
    Source: H. Cramér (1946), "Mathematical Methods of Statistics", chapter 21.

    >>> float(cramers_v(np.array([3.0, 1.0]), np.array([1.0, 3.0])))
    0.5
    """
    rows = (current + reference).sum(axis=-1)
    share = np.divide(chi_squared(current, reference), rows, out=np.zeros_like(rows), where=rows > 0)
    return np.asarray(np.sqrt(np.minimum(share, 1.0)))
