"""New atoms: values that suddenly many rows have."""

from __future__ import annotations

import numpy as np

from tidegate_monitors.statistics import Array, Reads, shares, statistic


@statistic(reads=Reads.BUCKETS, check="garbage_values", symmetric=False, bound=1.0)
def new_atoms(current: Array, reference: Array) -> Array:
    """The largest increase of one bucket's share, in [0, 1]; the buckets are values by their hash.

    One value that stands in for missing ones, such as -999, fills one bucket; values that merely moved fill all alike.
    Source: the largest deviation of shares, as in C. P. Quesenberry and D. C. Hurst (1964), Technometrics 6(2),
    191-195; the buckets are a row of the sketch of G. Cormode and S. Muthukrishnan (2005), Journal of Algorithms 55(1),
    58-75.

    >>> float(new_atoms(np.array([1.0, 1.0, 2.0]), np.array([1.0, 2.0, 1.0])))
    0.25
    """
    return np.asarray((shares(current) - shares(reference)).max(axis=-1).clip(0.0, 1.0))
