"""How far predicted and true classes agree, where there are several."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from tidegate_monitors.clustered import Estimate, Measure, clustered
from tidegate_monitors.cohort import Cohort
from tidegate_monitors.measures import over
from tidegate_monitors.skill import confusions

Floats = npt.NDArray[np.float64]


def agreement(cohorts: Sequence[Cohort], metric: str) -> Estimate | None:
    """One of :data:`AGREEMENT`; None where batches are too few or it is not defined."""
    table = confusions(cohorts)
    return clustered(table, AGREEMENT[metric], table.sum(axis=(1, 2)))


def _accuracy(table: Floats) -> float | None:
    return over(float(np.trace(table)), float(table.sum()))


def _error_rate(table: Floats) -> float | None:
    right = _accuracy(table)
    return None if right is None else 1 - right


def _balanced(table: Floats) -> float | None:
    support = table.sum(axis=0)
    known = support > 0
    return float((np.diag(table)[known] / support[known]).mean()) if known.any() else None


def _mcc(table: Floats) -> float | None:
    """The correlation of two classifications. Source: J. Gorodkin (2004), Computational Biology and Chemistry 28."""
    n, named, came = float(table.sum()), table.sum(axis=1), table.sum(axis=0)
    spread = (n**2 - float(named @ named)) * (n**2 - float(came @ came))
    return (float(np.trace(table)) * n - float(named @ came)) / math.sqrt(spread) if spread > 0 else None


def _kappa(table: Floats) -> float | None:
    n = float(table.sum())
    chance = float(table.sum(axis=1) @ table.sum(axis=0))
    return over(float(np.trace(table)) * n - chance, n**2 - chance)


AGREEMENT: Mapping[str, Measure] = MappingProxyType(
    {"accuracy": _accuracy, "error_rate": _error_rate, "balanced_accuracy": _balanced, "mcc": _mcc, "kappa": _kappa}
)
"""Metrics of all classes together, of rows by predicted class and label, shape (classes, classes)."""
