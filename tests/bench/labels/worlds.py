"""Simulated worlds: predictions and labels whose true bias is known, summed into cohorts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from tests.bench.alarms.judging import generator
from tidegate_contracts.batch import Window
from tidegate_monitors.cohort import WHOLE, Cohort
from tidegate_monitors.tally import WIDTH, Sum, Tally

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SLICES, BUCKETS, ROWS = 19, 10, 1_000
START = datetime(2024, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
NAMES = tuple(f"s={number:02d}" for number in range(SLICES))
SHARES = np.array([0.1, 0.1, *[0.8 / (SLICES - 2)] * (SLICES - 2)])
"""Two slices hold a tenth of the rows each, the others share the rest evenly."""
_SPREAD = 0.3


@dataclass(frozen=True, slots=True)
class World:
    """Where batches come from; the model is right on average.

    Attributes:
        rate: The base rate: its logit is the mean of the predictions' logits, whose standard deviation is .3.
        day: Standard deviation, between batches, of what is added to the probability of every row of a batch.
        slice_day: The same of what is added for one slice of one batch.
        unequal: Whether batches have 500 to 1,500 rows, else 1,000 each.
    """

    rate: float
    day: float = 0.0
    slice_day: float = 0.0
    unequal: bool = False

    @property
    def edges(self) -> tuple[float, ...]:
        """The nine deciles of the predictions."""
        return _edges(self.rate)

    def rows(self, batches: int, rng: np.random.Generator) -> Sample:
        """The rows of some batches with predictions and the true probabilities of their labels."""
        sizes = rng.integers(ROWS // 2, ROWS * 3 // 2, batches) if self.unequal else np.full(batches, ROWS)
        day = np.repeat(np.arange(batches), sizes)
        cell = np.searchsorted(np.cumsum(SHARES)[:-1], rng.random(day.size), side="right")
        prediction = _predictions(self.rate, day.size, rng)
        effect = self.day * rng.normal(size=batches)[day]
        effect = effect + self.slice_day * rng.normal(size=(batches, SLICES))[day, cell]
        return Sample(day, cell, prediction, np.clip(prediction + effect, 0.0, 1.0))

    def cohorts(
        self,
        batches: int,
        rng: np.random.Generator,
        *,
        predictions: Sequence[float] = (),
        labels: Sequence[float] = (),
    ) -> list[Cohort]:
        """Some batches as cohorts.

        Args:
            batches: How many.
            rng: The randomness.
            predictions: What is added to the predictions of the first slices.
            labels: What is added to the probabilities of their labels.
        """
        made = self.rows(batches, rng)
        truth = np.clip(made.truth + _added(labels)[made.cell], 0.0, 1.0)
        label = (rng.random(made.day.size) < truth).astype(np.float64)
        prediction = np.clip(made.prediction + _added(predictions)[made.cell], 0.0, 1.0)
        return self.summed(made, prediction, label, batches)

    def summed(self, made: Sample, prediction: Floats, label: Floats, batches: int) -> list[Cohort]:
        """The cohorts of rows with their labels, NaN where none has come."""
        table = tables(made.day, made.cell, prediction, label, self.edges, (batches, SLICES))
        whole = table.sum(axis=1, keepdims=True)
        return cohorts(NAMES, np.concatenate([whole, table], axis=1), self.edges)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Rows; every array has shape (rows,).

    Attributes:
        day: The number of the batch.
        cell: The number of the slice.
        prediction: What is predicted.
        truth: The probability that the label is 1.
    """

    day: Ints
    cell: Ints
    prediction: Floats
    truth: Floats


def tables(
    day: Ints, cell: Ints, prediction: Floats, label: Floats, edges: Sequence[float] | Ints, shape: tuple[int, int]
) -> Floats:
    """Sums by batch, slice and bucket, shape (*shape, 10, sums): what a tally sums, of many batches at once.

    Args:
        day: The number of each row's batch.
        cell: The number of its slice.
        prediction: What is predicted.
        label: 0 or 1; NaN where none has come.
        edges: The inner edges of the buckets; or each row's bucket itself.
        shape: How many batches, and slices.
    """
    given = isinstance(edges, np.ndarray)
    bucket = edges if given else np.searchsorted(np.asarray(edges), prediction, side="left")
    code = (day * shape[1] + cell) * BUCKETS + bucket
    size = shape[0] * shape[1] * BUCKETS
    on = np.isfinite(label)
    y, p, called = np.where(on, label, 0.0), np.where(on, prediction, 0.0), prediction >= 0.5
    found = np.zeros((size, WIDTH))
    weights = {
        Sum.ROWS: None,
        Sum.N: on,
        Sum.SCORED: prediction,
        Sum.P: p,
        Sum.Y: y,
        Sum.PP: p * p,
        Sum.PY: p * y,
        Sum.CALLS: called & on,
        Sum.HITS: called * y,
    }
    for field, weight in weights.items():
        found[:, field] = np.bincount(code, weight, minlength=size)
    found[:, Sum.SETTLED] = found[:, Sum.N]
    found[:, Sum.YY] = found[:, Sum.SIMPLE_SQUARED] = found[:, Sum.Y]
    found[:, Sum.ERROR] = found[:, Sum.P] + found[:, Sum.Y] - 2 * found[:, Sum.PY]
    found[:, Sum.RAW] = found[:, Sum.P]
    found[:, Sum.DIFFERENCE] = found[:, Sum.P] - found[:, Sum.Y]
    found[:, Sum.SQUARED] = found[:, Sum.PP] - 2 * found[:, Sum.PY] + found[:, Sum.YY]
    return found.reshape(*shape, BUCKETS, WIDTH)


def cohorts(names: tuple[str, ...], table: Floats, edges: Sequence[float]) -> list[Cohort]:
    """Cohorts of sums of shape (batches, slices + 1, buckets, sums), a day apart."""
    made = []
    for number, sums in enumerate(table):
        n = {field: int(sums[0, :, field].sum()) for field in (Sum.ROWS, Sum.SETTLED, Sum.N)}
        start = START + number * DAY
        tally = MappingProxyType({WHOLE: Tally(names, sums)})
        made.append(
            Cohort(
                f"b{number:03d}",
                Window(start, start + DAY),
                n[Sum.ROWS],
                n[Sum.SETTLED],
                n[Sum.N],
                0,
                tuple(edges),
                tally,
            )
        )
    return made


def _predictions(rate: float, size: int, rng: np.random.Generator) -> Floats:
    found: Floats = expit(logit(rate) + _SPREAD * rng.normal(size=size))
    return found


@lru_cache
def _edges(rate: float) -> tuple[float, ...]:
    made = _predictions(rate, 100_000, generator("deciles", str(rate)))
    return tuple(float(edge) for edge in np.quantile(made, np.arange(1, BUCKETS) / BUCKETS))


def _added(amounts: Sequence[float]) -> Any:
    found = np.zeros(SLICES)
    found[: len(amounts)] = amounts
    return found
