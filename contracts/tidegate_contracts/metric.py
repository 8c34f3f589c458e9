"""Metrics of a model that a floor may be set for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Metric:
    """One measure of how good a model is.

    Attributes:
        name: What floors call it.
        worst: The value of the worst model, or an infinity.
        best: The value of the best model, or an infinity; below ``worst`` where less is better.
        hides_rare: Whether a model may ignore a rare class and still look good.
    """

    name: str
    worst: float
    best: float
    hides_rare: bool = False

    @property
    def more_is_better(self) -> bool:
        """Whether a better model has a greater value."""
        return self.best > self.worst

    def can_fail(self, floor: float) -> bool:
        """Whether a model could be worse than a floor at all."""
        return floor > self.worst if self.more_is_better else floor < self.worst

    def can_pass(self, floor: float) -> bool:
        """Whether a model could reach a floor at all."""
        return floor <= self.best if self.more_is_better else floor >= self.best


_INFINITE = math.inf
METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        metric.name: metric
        for metric in (
            Metric("accuracy", 0, 1, hides_rare=True),
            Metric("error_rate", 1, 0, hides_rare=True),
            Metric("balanced_accuracy", 0, 1),
            Metric("precision", 0, 1),
            Metric("recall", 0, 1),
            Metric("specificity", 0, 1),
            Metric("f1", 0, 1),
            Metric("mcc", -1, 1),
            Metric("kappa", -1, 1),
            Metric("roc_auc", 0, 1),
            Metric("pr_auc", 0, 1),
            Metric("brier", 1, 0),
            Metric("log_loss", _INFINITE, 0),
            Metric("ece", 1, 0),
            Metric("skill", -_INFINITE, 1),
            Metric("mae", _INFINITE, 0),
            Metric("mse", _INFINITE, 0),
            Metric("rmse", _INFINITE, 0),
            Metric("mape", _INFINITE, 0),
            Metric("median_absolute_error", _INFINITE, 0),
            Metric("r2", -_INFINITE, 1),
        )
    }
)
"""All known metrics by name."""
