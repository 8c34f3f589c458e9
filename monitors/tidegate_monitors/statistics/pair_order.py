"""Order of two columns."""

from __future__ import annotations

import numpy as np

from tidegate_monitors.statistics import Array, Reads, shares, statistic


@statistic(reads=Reads.PAIR, check="swapped_columns", symmetric=True, bound=1.0, signed=True)
def pair_order(current: Array, reference: Array) -> Array:
    """The difference of P(a < b) + P(a = b) / 2 for two columns of one row, in [-1, 1]; less, equal, greater.

    Where a column that was always the smaller one has changed places with the other, it is near -1.
    Source: the sign test, W. J. Dixon and A. M. Mood (1946), Journal of the American Statistical Association 41(236),
    557-566, with ties halved as in J. Putter (1955), Annals of Mathematical Statistics 26(3), 368-386.

    >>> float(pair_order(np.array([1.0, 2.0, 7.0]), np.array([7.0, 2.0, 1.0])))
    -0.6
    """
    difference = shares(current) - shares(reference)
    return np.asarray(np.clip((difference[..., 0] - difference[..., 2]) / 2, -1.0, 1.0))
