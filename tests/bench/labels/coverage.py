"""Intervals: how often the 95 % interval of a bias holds the true one, which is 0 here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from tests.bench.alarms.judging import generator
from tests.bench.alarms.rates import Rate
from tests.bench.labels.plan import Plan
from tidegate_monitors.bias_interval import Replicates, interval

RATES = (0.01, 0.05, 0.22, 0.5)
SIZES = (20, 100, 1_000)
BATCHES = (1, 5, 14, 28, 60)
LOW, LOW_BY_DAYS, HIGH, COMMON = 0.93, 0.92, 0.97, 5.0
CLUSTERED = ((0.05, 0.01), (0.22, 0.01), (0.22, 0.03), (0.22, 0.05), (0.5, 0.05))
CLUSTERED_BATCHES = (28, 60)
_SPREAD = 0.5
_CHUNK = 2_000_000


@dataclass(frozen=True, slots=True)
class Covered:
    """One cell of a table.

    Attributes:
        kind: ``constant`` or ``varying`` predictions of independent rows, ``clustered``, or a kind of numbers.
        rate: The base rate; 0 for numbers.
        day: Standard deviation of the batches' effects.
        rows: Rows a batch, on average.
        batches: How many batches.
        unequal: Whether batches have half to one and a half times as many rows.
        covered: Intervals that hold the truth, of all.
    """

    kind: str
    rate: float
    day: float
    rows: int
    batches: int
    unequal: bool
    covered: Rate

    @property
    def common(self) -> bool:
        """Whether n·p·(1 - p) is at least 5, or labels are numbers: then 97 % is the most that is wanted."""
        return not self.rate or self.rows * self.batches * self.rate * (1 - self.rate) >= COMMON

    @property
    def met(self) -> bool:
        """Whether the share lies where it is wanted."""
        low = LOW_BY_DAYS if self.day else LOW
        return self.covered.share >= low and (not self.common or self.covered.share <= HIGH)


def coverage(kind: str, plan: Plan) -> Iterator[Covered]:
    """All cells of a kind: ``constant``, ``varying``, ``clustered``, ``normal`` or ``skewed``."""
    if kind == "clustered":
        for rate, day in CLUSTERED:
            for rows in SIZES[1:]:
                for batches in CLUSTERED_BATCHES:
                    for unequal in (False, True):
                        yield _cell(kind, rate, day, rows, batches, plan, unequal=unequal)
        return
    for rate in RATES if kind in ("constant", "varying") else (0.0,):
        for rows in SIZES:
            for batches in BATCHES:
                yield _cell(kind, rate, 0.0, rows, batches, plan)
    if kind in ("normal", "skewed"):
        for batches in CLUSTERED_BATCHES:
            yield _cell(kind, 0.0, 0.3, SIZES[1], batches, plan, unequal=True)


def _cell(kind: str, rate: float, day: float, rows: int, batches: int, plan: Plan, *, unequal: bool = False) -> Covered:
    rng = generator("coverage", kind, str(rate), str(day), rows, batches, int(unequal))
    repetitions = plan.intervals
    at_once = max(1, _CHUNK // (rows * batches * 2))
    hits = done = 0
    while done < repetitions:
        part = min(at_once, repetitions - done)
        n = rng.integers(rows // 2, rows * 3 // 2, (part, batches)) if unequal else np.full((part, batches), rows)
        sums = _sums(kind, rate, day, n, rng)
        for one in range(part):
            cell = Replicates(n[one].astype(np.float64), *(item[one] for item in sums))
            reach = interval(cell, binary=bool(rate))
            hits += reach.low is not None and reach.high is not None and reach.low <= 0 <= reach.high
        done += part
    return Covered(kind, rate, day, rows, batches, unequal, Rate(hits, repetitions))


def _sums(kind: str, rate: float, day: float, n: npt.NDArray[np.int64], rng: np.random.Generator) -> tuple[Any, ...]:
    """Sums of predictions, labels and squared differences; each of the shape of ``n``."""
    effects = day * rng.normal(size=n.shape)
    if kind == "constant":
        labels = rng.binomial(n, rate).astype(np.float64)
        return n * rate, labels, n * rate**2 - 2 * rate * labels + labels
    place = np.repeat(np.arange(n.size), n.ravel())
    effect = effects.ravel()[place]
    if rate:
        p = expit(logit(rate) + _SPREAD * rng.normal(size=place.size))
        y = (rng.random(place.size) < np.clip(p + effect, 0, 1)).astype(np.float64)
    else:
        p = rng.normal(size=place.size)
        noise = rng.normal(size=place.size) if kind == "normal" else rng.exponential(size=place.size) - 1
        y = p + effect + noise
    parts = (p, y, (p - y) ** 2)
    return tuple(np.bincount(place, part, minlength=n.size).reshape(n.shape) for part in parts)
