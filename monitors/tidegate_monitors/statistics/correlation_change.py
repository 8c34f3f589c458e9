"""Change of the association of two columns."""

from __future__ import annotations

import numpy as np

from tidegate_monitors.statistics import Array, Reads, shares, statistic


@statistic(reads=Reads.TABLE, check="joint_drift", symmetric=True, bound=2.0, signed=True, family=True)
def correlation_change(current: Array, reference: Array) -> Array:
    """The difference of the phi coefficients of two columns cut at the reference's medians, in [-2, 2].

    The cells are both high, first high and second low, first low and second high, both low. phi is the correlation of
    the two indicators; it is taken for 0 where one of them does not vary.
    Source: G. U. Yule (1912), "On the methods of measuring association between two attributes", Journal of the Royal
    Statistical Society 75(6), 579-652.

    >>> float(correlation_change(np.array([5.0, 0.0, 0.0, 5.0]), np.array([5.0, 5.0, 5.0, 5.0])))
    1.0
    """
    return _phi(current) - _phi(reference)


def _phi(counts: Array) -> Array:
    table = shares(counts)
    hh, hl, lh, ll = (table[..., cell] for cell in range(4))
    deviations = np.sqrt((hh + hl) * (lh + ll)) * np.sqrt((hh + lh) * (hl + ll))
    phi = np.divide(hh * ll - hl * lh, deviations, out=np.zeros_like(hh), where=deviations > 0)
    return np.asarray(np.clip(phi, -1.0, 1.0))
