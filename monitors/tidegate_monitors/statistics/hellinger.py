"""Hellinger distance."""

from __future__ import annotations

import numpy as np

from tidegate_monitors.statistics import Array, Reads, shares, statistic


@statistic(reads=Reads.CELLS, check="drift", symmetric=True, bound=1.0, family=True)
def hellinger(current: Array, reference: Array) -> Array:
    """The Hellinger distance, in [0, 1]: sqrt(1 - sum(sqrt(p q))).

    Source: E. Hellinger (1909), Journal für die reine und angewandte Mathematik 136, 210-271; in this form
    A. W. van der Vaart (1998), "Asymptotic Statistics", section 14.5.

    >>> float(hellinger(np.array([1.0, 0.0]), np.array([0.0, 3.0])))
    1.0
    """
    p, q = shares(current), shares(reference)
    # half the squared distance of the roots: equal to 1 - sum(sqrt(p q)), without its cancellation near zero
    return np.asarray(np.sqrt(((np.sqrt(p) - np.sqrt(q)) ** 2).sum(axis=-1) / 2))
