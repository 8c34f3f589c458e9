"""Kullback-Leibler divergence."""

from __future__ import annotations

import numpy as np
from scipy.special import xlog1py

from tidegate_monitors.statistics import Array, Reads, shares, statistic


@statistic(reads=Reads.CELLS, check="drift", symmetric=False, noise=1.0)
def kullback_leibler(current: Array, reference: Array) -> Array:
    """The Kullback-Leibler divergence of current from reference in nats, at least 0: sum(p ln(p / q)).

    Infinite where the reference has an empty cell and current has not; regularised counts have none. Binning can only
    lower it. Source: S. Kullback and R. A. Leibler (1951), "On information and sufficiency", Annals of Mathematical
    Statistics 22(1), 79-86.

    >>> round(float(kullback_leibler(np.array([2.0, 0.0]), np.array([1.0, 1.0]))), 6)
    0.693147
    """
    return divergence(shares(current), shares(reference))


def divergence(p: Array, q: Array) -> Array:
    """The divergence of shares ``p`` from shares ``q``, shape (...).

    Since both add up to one it is sum(q ((1 + x) ln(1 + x) - x)) with x = p / q - 1: no term is below zero, and near
    equality nothing cancels.
    """
    known = q > 0
    excess = np.divide(p - q, q, out=np.zeros_like(q * p), where=known)
    terms = q * (xlog1py(1 + excess, excess) - excess)
    return np.asarray(np.where(known, np.maximum(terms, 0.0), np.where(p > 0, np.inf, 0.0)).sum(axis=-1))
