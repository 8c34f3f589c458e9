"""Population stability index."""

from __future__ import annotations

import numpy as np

from tidegate_monitors.statistics import Array, Reads, shares, statistic


@statistic(reads=Reads.CELLS, check="drift", symmetric=True, reported=True)
def psi(current: Array, reference: Array) -> Array:
    """The population stability index, at least 0: sum((p - q) ln(p / q)), Jeffreys' divergence of the shares.

    Infinite where one side has an empty cell and the other has not; regularised counts have none.
    Source: H. Jeffreys (1946), Proceedings of the Royal Society A 186, 453-461, as used for scorecards by
    N. Siddiqi (2006), "Credit Risk Scorecards", chapter 10.

    >>> round(float(psi(np.array([60.0, 40.0]), np.array([50.0, 50.0]))), 6)
    0.040547
    """
    p, q = shares(current), shares(reference)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p == q, 0.0, (p - q) * (np.log(p) - np.log(q)))
    return np.asarray(terms.sum(axis=-1))
