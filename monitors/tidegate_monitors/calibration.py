"""Calibration: whether what is called 70 % likely comes true in 70 % of cases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate_monitors import measures
from tidegate_monitors.pairs import Pairs
from tidegate_monitors.recalibration import recalibration
from tidegate_monitors.tally import Sum, Tally

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reliability:
    """One bucket's row of the reliability table.

    Attributes:
        bucket: Its number, from 0.
        n: Rows with a label.
        mean_prediction: Their mean prediction.
        mean_label: Their mean label.
    """

    bucket: int
    n: int
    mean_prediction: float
    mean_label: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How predictions lie to labels, of one outcome; None where there is nothing to say.

    The Brier score (for numbers the mean squared error) is, exactly, reliability - resolution + uncertainty + within.
    Source: A. H. Murphy (1973), Journal of Applied Meteorology 12(4), 595-600; what happens within buckets
    D. B. Stephenson, C. A. S. Coelho, I. T. Jolliffe (2008), Weather and Forecasting 23(4), 752-757.

    Attributes:
        n: Rows with a label.
        ece: The mean over rows of |mean prediction - mean label| of their bucket, in the label's unit. Source:
            M. P. Naeini, G. F. Cooper, M. Hauskrecht (2015), AAAI; C. Guo et al. (2017), ICML. Here the buckets are the
            fixed ones.
        slope: For two classes of the logistic recalibration, for numbers of the regression of the label on the
            prediction; 1 is right, and below 1 predictions are too extreme.
        intercept: Of the same; 0 is right.
        brier: The mean squared difference of prediction and label.
        reliability: The mean square of |mean prediction - mean label| of the buckets; 0 is right.
        resolution: The variance of the buckets' mean labels; the greater the better.
        uncertainty: The variance of labels: what always saying the base rate would score.
        within: The variance of predictions within buckets, less twice their covariance with labels.
        table: By bucket that has rows.
    """

    n: int
    ece: float | None
    slope: float | None
    intercept: float | None
    brier: float | None
    reliability: float | None
    resolution: float | None
    uncertainty: float | None
    within: float | None
    table: tuple[Reliability, ...]

    @classmethod
    def of(
        cls, tally: Tally, pairs: Callable[[], Iterator[Pairs]], *, probability: bool, outcome: str = ""
    ) -> Calibration:
        """From the sums of a window, and its rows.

        Args:
            tally: The window's sums.
            pairs: Gives the rows, batch by batch; read a few times where predictions are probabilities.
            probability: Whether predictions are probabilities of a class.
            outcome: The class; ``""`` for a number and for two classes.
        """
        sums = tally.table[0][tally.table[0, :, Sum.N] > 0]
        if not sums.size:
            return cls(0, None, None, None, None, None, None, None, None, ())
        if probability:
            line = recalibration(lambda: (item for item in pairs() if item.outcome == outcome))
        else:
            line = least_squares(tally.overall)
        slope, intercept = line if line is not None else (None, None)
        n, gap, label = sums[:, Sum.N], _gaps(sums), sums[:, Sum.Y] / sums[:, Sum.N]
        rows, whole = float(n.sum()), tally.overall
        reliability = float((n * gap**2).sum() / rows)
        resolution = float((n * (label - whole[Sum.Y] / rows) ** 2).sum() / rows)
        uncertainty = measures.variance(whole) or 0.0
        within = float(_within(sums).sum() / rows)
        brier = measures.squared(whole) / rows
        table = _table(tally)
        return cls(round(rows), ece(sums), slope, intercept, brier, reliability, resolution, uncertainty, within, table)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "table": [asdict(row) for row in self.table]}


def ece(buckets: Floats) -> float | None:
    """The expected calibration error from sums by bucket, shape (buckets, 17); None for no rows."""
    return measures.over(float(np.abs(buckets[:, Sum.DIFFERENCE]).sum()), float(buckets[:, Sum.N].sum()))


def least_squares(sums: Floats) -> tuple[float, float] | None:
    """Slope and intercept of the label on the prediction, from sums; None where predictions do not vary.

    Source: J. Mincer, V. Zarnowitz (1969), "The evaluation of economic forecasts", NBER.
    """
    slope = measures.slope(sums)
    return None if slope is None else (slope, float((sums[Sum.Y] - slope * sums[Sum.P]) / sums[Sum.N]))


def _gaps(sums: Floats) -> Floats:
    found: Floats = sums[:, Sum.DIFFERENCE] / sums[:, Sum.N]
    return found


def _within(sums: Floats) -> Floats:
    """By bucket the squared deviations of predictions, less twice their products with those of labels.

    That is what differences vary by, less what labels vary by.
    """
    n = sums[:, Sum.N]
    missed = sums[:, Sum.SQUARED] - sums[:, Sum.DIFFERENCE] ** 2 / n
    found: Floats = missed - (sums[:, Sum.YY] - sums[:, Sum.Y] ** 2 / n)
    return found


def _table(tally: Tally) -> tuple[Reliability, ...]:
    rows = tally.table[0]
    return tuple(
        Reliability(bucket, round(n), float(row[Sum.P] / n), float(row[Sum.Y] / n))
        for bucket, row in enumerate(rows)
        if (n := float(row[Sum.N])) > 0
    )
