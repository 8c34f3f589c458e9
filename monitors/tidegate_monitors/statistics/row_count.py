"""Change of the number of rows."""

from __future__ import annotations

import numpy as np

from tidegate_monitors.statistics import Array, Reads, statistic


@statistic(reads=Reads.ROWS, check="volume", symmetric=True, signed=True, family=True)
def row_count(current: Array, reference: Array) -> Array:
    """Ln of the ratio of the numbers of rows, each with one pseudo-row; the reference's being rows a block.

    Source: the log rate ratio, A. Agresti (2013), "Categorical Data Analysis", section 4.3.

    >>> round(float(row_count(np.array([1999.0]), np.array([999.0]))), 3)
    0.693
    """
    return np.asarray(np.log(current[..., 0] + 1) - np.log(reference[..., 0] + 1))
