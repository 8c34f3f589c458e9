"""Jensen-Shannon distance."""

from __future__ import annotations

import numpy as np

from tidegate_monitors.statistics import Array, Reads, shares, statistic


@statistic(reads=Reads.CELLS, check="drift", symmetric=True, bound=1.0, reported=True)
def jensen_shannon(current: Array, reference: Array) -> Array:
    """The Jensen-Shannon distance to base 2, in [0, 1]: the root of the mean divergence from the mixture.

    Source: D. M. Endres and J. E. Schindelin (2003), "A new metric for probability distributions", IEEE Transactions
    on Information Theory 49(7), 1858-1860.

    >>> float(jensen_shannon(np.array([1.0, 0.0]), np.array([0.0, 3.0])))
    1.0
    """
    p, q = shares(current), shares(reference)
    mixture = (p + q) / 2
    return np.sqrt(np.maximum(_divergence(p, mixture) + _divergence(q, mixture), 0.0) / 2)


def _divergence(p: Array, mixture: Array) -> Array:
    ratio = np.divide(p, mixture, out=np.ones_like(mixture * p), where=(mixture > 0) & (p > 0))
    return np.asarray((p * np.log2(ratio)).sum(axis=-1))
