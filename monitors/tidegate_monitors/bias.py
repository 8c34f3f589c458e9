"""Prediction bias: the mean prediction less the mean label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Bias:
    """The bias of some predictions whose labels have come, mergeable.

    Bias = mean(prediction) - mean(label), over the rows that have both.
    Source: H. B. McMahan et al. (2013), "Ad click prediction: a view from the trenches", KDD, section 5.3, where
    systematic difference of mean prediction and mean outcome is the measure of calibration.

    Attributes:
        rows: Predictions, labelled or not.
        n: Those with a label.
        predictions: The sum of the labelled rows' predictions.
        labels: The sum of their labels.
    """

    rows: int = 0
    n: int = 0
    predictions: float = 0.0
    labels: float = 0.0

    @classmethod
    def of(cls, predictions: npt.NDArray[np.float64], labels: npt.NDArray[np.float64]) -> Bias:
        """From paired arrays of shape (rows,), NaN where there is no label (or no prediction)."""
        both = np.isfinite(predictions) & np.isfinite(labels)
        return cls(int(predictions.size), int(both.sum()), float(predictions[both].sum()), float(labels[both].sum()))

    def __add__(self, other: Bias) -> Bias:
        return Bias(
            self.rows + other.rows,
            self.n + other.n,
            self.predictions + other.predictions,
            self.labels + other.labels,
        )

    @property
    def mean_prediction(self) -> float | None:
        """The mean prediction of labelled rows; None without any."""
        return self.predictions / self.n if self.n else None

    @property
    def mean_label(self) -> float | None:
        """The mean label; None without any."""
        return self.labels / self.n if self.n else None

    @property
    def bias(self) -> float | None:
        """Mean prediction less mean label; None without any label."""
        return (self.predictions - self.labels) / self.n if self.n else None

    @property
    def maturity(self) -> float:
        """The labelled share, in [0, 1]; 0 for no rows."""
        return self.n / self.rows if self.rows else 0.0

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "mean_prediction": self.mean_prediction,
            "mean_label": self.mean_label,
            "bias": self.bias,
            "n": self.n,
            "share": self.maturity,
        }
