"""Share of rows in categories that the reference has never seen."""

from __future__ import annotations

import numpy as np

from tidegate_monitors.statistics import Array, Reads, shares, statistic


@statistic(
    reads=Reads.CATEGORIES, check="category_change", symmetric=True, bound=1.0, signed=True, noise=1.0, reported=True
)
def unseen_share(current: Array, reference: Array) -> Array:
    """The difference of the shares of the last cell, that of unseen categories, in [-1, 1].

    The reference's own share is 0 by construction, so it takes no part in a ranking; a rule reads it.
    Source: the Good-Turing estimate of unseen mass, I. J. Good (1953), Biometrika 40(3-4), 237-264.

    >>> float(unseen_share(np.array([3.0, 1.0]), np.array([4.0, 0.0])))
    0.25
    """
    return np.asarray(shares(current)[..., -1] - shares(reference)[..., -1])
