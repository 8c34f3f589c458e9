"""Change of the missing rate."""

from __future__ import annotations

import numpy as np

from tidegate_monitors.statistics import Array, Reads, shares, statistic


@statistic(
    reads=Reads.MISSING, check="missingness_jump", symmetric=True, bound=1.0, signed=True, family=True, noise=1.0
)
def missing_rate(current: Array, reference: Array) -> Array:
    """The difference of the shares of missing values, in [-1, 1]; the cells are present and missing.

    Source: the difference of two proportions, A. Agresti (2013), "Categorical Data Analysis", section 3.1.

    >>> float(missing_rate(np.array([3.0, 1.0]), np.array([4.0, 0.0])))
    0.25
    """
    return np.asarray(shares(current)[..., 1] - shares(reference)[..., 1])
