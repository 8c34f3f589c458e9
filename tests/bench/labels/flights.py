"""A year of real flights in which nothing is wrong with any slice, and days still do what real days do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.bench.alarms.judging import generator
from tests.bench.labels.family import LENGTHS, REFERENCES, Count, FamilyRate, judged
from tests.bench.labels.plan import Plan
from tests.bench.labels.worlds import BUCKETS, cohorts, tables
from tidegate_monitors.bias_alarms import Judged
from tidegate_monitors.cohort import Cohort

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SHUFFLED = "days in real order, slices shuffled within each day"
RANDOM_SHUFFLED = "days at random, slices shuffled within each day"
RANDOM_REAL = "days at random, slices as they are"
WAYS = (SHUFFLED, RANDOM_SHUFFLED, RANDOM_REAL)
_ROUNDS = 30


@dataclass(frozen=True, slots=True, eq=False)
class Year:
    """The flights that have a label; every array has shape (rows,).

    Attributes:
        day: The number of the day, from 0.
        carrier: The number of the airline.
        origin: The number of the airport.
        bucket: The bucket of the model's prediction, between the deciles of the year.
        prediction: What is predicted.
        label: Whether it arrived more than 15 minutes late.
        names: The slices: airlines, then airports.
    """

    day: Ints
    carrier: Ints
    origin: Ints
    bucket: Ints
    prediction: Floats
    label: Floats
    names: tuple[str, ...]

    @property
    def days(self) -> int:
        """How many there are."""
        return int(self.day.max()) + 1

    def shuffled(self, rng: np.random.Generator) -> Year:
        """Airline and airport, as a pair, dealt anew to the flights of each day."""
        order = np.lexsort((rng.random(self.day.size), self.day))
        return replace(self, carrier=self.carrier[order], origin=self.origin[order])

    def calibrated(self) -> Year:
        """With predictions that are right over the year in every bucket, slice, and bucket of a slice.

        What is added to a prediction is a number for its bucket and airline, and one for its bucket and airport: those
        of least squares, so that the mean of prediction less label is 0 in each; cut to [0, 1] and done again.
        """
        groups = [
            self.bucket * (int(part.max()) + 1) + part for part in (self.carrier, self.origin, np.zeros_like(self.day))
        ]
        prediction = self.prediction
        for _ in range(_ROUNDS):
            for group in groups:
                n = np.maximum(np.bincount(group), 1)
                left = np.bincount(group, self.label - prediction, minlength=n.size) / n
                prediction = np.clip(prediction + left[group], 0.0, 1.0)
        return replace(self, prediction=prediction)

    def by_day(self) -> list[Cohort]:
        """One cohort a day, in real order."""
        airlines, airports = int(self.carrier.max()) + 1, int(self.origin.max()) + 1
        parts = [
            tables(self.day, cell, self.prediction, self.label, self.bucket, (self.days, count))
            for cell, count in ((self.carrier, airlines), (self.origin, airports))
        ]
        whole = parts[1].sum(axis=1, keepdims=True)
        return cohorts(self.names, np.concatenate([whole, *parts], axis=1), ())


@cache
def year() -> Year:
    """The year, from the demo's data."""
    from tidegate_flows.demo import data

    frame = data.flights().dropna(subset=["late"])
    codes: dict[str, Any] = {name: np.unique(frame[name], return_inverse=True) for name in ("day", "carrier", "origin")}
    prediction = frame["p_late"].to_numpy(np.float64)
    edges = np.quantile(prediction, np.arange(1, BUCKETS) / BUCKETS)
    day, carrier, origin = (codes[name][1].astype(np.int64) for name in ("day", "carrier", "origin"))
    return Year(
        day,
        carrier,
        origin,
        np.searchsorted(edges, prediction, side="left"),
        prediction,
        frame["late"].to_numpy(np.float64),
        tuple(f"{name}={value}" for name in ("carrier", "origin") for value in codes[name][0]),
    )


def real_nulls(way: str, plan: Plan) -> Iterator[FamilyRate]:
    """One way of making nothing wrong, with every length and reference."""
    rng = generator("flights", way)
    chosen: Callable[[Judged], bool] = (lambda item: item.key.slice is not None) if way == SHUFFLED else lambda _: True
    counts = {(length, blocks): Count(chosen) for length in LENGTHS for blocks in REFERENCES}
    base = year() if way == SHUFFLED else year().calibrated()
    for number in range(plan.windows):
        if number % (plan.windows // plan.shuffles) == 0:
            days = (base if way == RANDOM_REAL else base.shuffled(rng)).by_day()
        reference, current = _drawn(way, len(days), rng)
        for (length, blocks), count in counts.items():
            now = [days[place] for place in current[-length:]]
            count.add(judged(now, [days[place] for place in reference[len(reference) - blocks :]]))
    for (length, blocks), count in counts.items():
        yield count.found(way, length, blocks)


def _drawn(way: str, days: int, rng: np.random.Generator) -> tuple[list[int], list[int]]:
    """The days of a reference, and those judged: in real order one after the other, else each at random."""
    before, now = max(REFERENCES), max(LENGTHS)
    if way != SHUFFLED:
        drawn = rng.integers(0, days, before + now).tolist()
    else:
        start = int(rng.integers(0, days - before - now + 1))
        drawn = list(range(start, start + before + now))
    return drawn[:before], drawn[before:]
