"""AUC of the best classifier between current and reference."""

from __future__ import annotations

import numpy as np

from tidegate_monitors.statistics import Array, Reads, shares, statistic


@statistic(reads=Reads.LEAVES, check="joint_drift", symmetric=True, bound=1.0, family=True)
def domain_auc(current: Array, reference: Array) -> Array:
    """2 AUC - 1 of telling current rows from reference rows by their leaf, in [0, 1]; 0 = they cannot be told apart.

    No classifier that sees only the leaf does better than the ratio of the shares, which is the one that is measured.
    It is measured on the rows that it was made of, so without drift it is a little above 0, the more so the more leaves
    there are. Joining leaves can only lower it.
    Source: J. Neyman and E. S. Pearson (1933), Philosophical Transactions of the Royal Society A 231, 289-337; the area
    as in J. A. Hanley and B. J. McNeil (1982), Radiology 143(1), 29-36.

    >>> float(domain_auc(np.array([3.0, 1.0]), np.array([1.0, 3.0])))
    0.5
    """
    p, q = shares(current), shares(reference)
    likelihood = np.divide(p, p + q, out=np.zeros_like(p + q), where=p + q > 0)
    order = np.argsort(likelihood, axis=-1)
    p, q = (np.take_along_axis(np.broadcast_to(side, order.shape), order, axis=-1) for side in (p, q))
    # a current row lies above every reference row of a less likely leaf, and above half of those of its own
    above = (p * (np.cumsum(q, axis=-1) - q / 2)).sum(axis=-1)
    known = (p.sum(axis=-1) > 0) & (q.sum(axis=-1) > 0)
    return np.where(known, np.clip(2 * above - 1, 0.0, 1.0), 0.0)
