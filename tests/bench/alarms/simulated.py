"""Simulated batches that are independent and alike: what a shift of known size must be found with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandera.pandas as pa
import pyarrow as arrow

import tidegate as tg
from tests.bench.alarms.judging import exceeding, generator
from tests.bench.alarms.plan import Plan
from tests.bench.alarms.rates import Rate
from tests.bench.alarms.slow import null_alarms, told
from tidegate_contracts.batch import Batch, Source
from tidegate_monitors.block import Block
from tidegate_monitors.layout import Layout
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Reference

COLUMNS, ROWS, BLOCKS = 30, 1_000, 20
_NAMES = tuple(f"x{number:02d}" for number in range(COLUMNS))
_MOVED = _NAMES[0]
CONTRACT = tg.Contract(
    name="simulated",
    version="1.0.0",
    owner="bench",
    schema=pa.DataFrameSchema({name: pa.Column(float) for name in _NAMES}),
)


@dataclass(frozen=True, slots=True)
class Power:
    """How often something was found.

    Attributes:
        what: What was done.
        by: What had to happen for it to count as found.
        rate: Found, of all tries.
        wanted: The least share that is wanted, or the greatest where ``below``.
        below: Whether the share must lie below.
    """

    what: str
    by: str
    rate: Rate
    wanted: float
    below: bool = False

    @property
    def met(self) -> bool:
        """Whether the share is on the right side."""
        return self.rate.share <= self.wanted if self.below else self.rate.share >= self.wanted


def table(rng: np.random.Generator, shift: float = 0.0) -> Any:
    """One batch; ``shift`` moves the first column, in standard deviations."""
    values = rng.normal(size=(COLUMNS, ROWS))
    values[0] += shift
    return arrow.table(dict(zip(_NAMES, values, strict=True)))


def simulated(plan: Plan) -> list[Power]:
    """All questions, each over many references of 20,000 rows."""
    hits: dict[str, list[bool]] = {}
    for number in range(plan.simulations):
        rng = generator("simulated", number)
        for question, answers in _asked(_Held.of(rng)).items():
            hits.setdefault(question, []).extend(answers)
    rates = {question: Rate(sum(answers), len(answers)) for question, answers in hits.items()}
    once, twice, slow = "one batch exceeds", "a warning (two in a row)", "one batch exceeds, or the stream tells"
    return [
        Power("nothing", once, rates["nothing"], 1 / (BLOCKS + 1) * 1.25, below=True),
        Power(
            "nothing, 40 references × 1,000 batches", "the stream tells", null_alarms(COLUMNS, ROWS, BLOCKS), 0, True
        ),
        Power(".25 sd in one column of one batch", once, rates[".25"], 0.95),
        Power(".1 sd in one column for 5 batches", slow, rates[".1 in 5"], 0.75),
        Power(".1 sd in one column for 10 batches", slow, rates[".1 in 10"], 0.95),
        Power(".1 sd in one column for 10 batches", twice, rates[".1 in 10, warned"], 0.95),
        Power(".01 sd a batch more in one column, within 15", "the stream tells", rates[".01 in 15, slow"], 0.95),
        Power(".01 sd a batch more in one column, within 15", twice, rates[".01 in 15, warned"], 0.95),
    ]


@dataclass(frozen=True, slots=True)
class _Held:
    """A simulated reference, and the randomness to hold batches against it."""

    reference: Reference
    rng: np.random.Generator

    @classmethod
    def of(cls, rng: np.random.Generator) -> _Held:
        blocks = [table(rng) for _ in range(BLOCKS)]
        layout = Layout.of([_batch(number, block) for number, block in enumerate(blocks)], CONTRACT)
        made = tuple(Block(str(i), None, Profile.of(block, layout)) for i, block in enumerate(blocks))
        return cls(Reference(CONTRACT.name, CONTRACT.sha256, layout, made), rng)

    def profile(self, shift: float = 0.0) -> Profile:
        """Of one more batch."""
        return Profile.of(table(self.rng, shift), self.reference.layout)

    def exceeding(self, profile: Profile) -> frozenset[Any]:
        """The places that exceed."""
        return frozenset(item.place for item in exceeding(profile, self.reference, CONTRACT, self.rng))

    def moved(self, profiles: Sequence[Profile]) -> list[frozenset[Any]]:
        """For each batch the places of the moved column that exceed."""
        return [frozenset(place for place in self.exceeding(item) if place[0] == _MOVED) for item in profiles]

    def slow(self, profiles: Sequence[Profile]) -> list[bool]:
        """For each batch whether the stream tells of the moved column."""
        return [_MOVED in columns for columns in told(profiles, self.reference, CONTRACT)]


def _batch(number: int, block: Any) -> Batch:
    return Batch(CONTRACT.name, str(number), Source(f"{number}.parquet", ".parquet", "", 0), block, block)


def _asked(held: _Held) -> dict[str, list[bool]]:
    shifted = [held.profile(0.1) for _ in range(10)]
    drifting = [held.profile(0.01 * (step + 1)) for step in range(15)]
    seen, drift = held.moved(shifted), held.moved(drifting)
    either = [bool(places) or slow for places, slow in zip(seen, held.slow(shifted), strict=True)]
    return {
        "nothing": [bool(held.exceeding(held.profile())) for _ in range(8)],
        ".25": [bool(places) for places in held.moved([held.profile(0.25) for _ in range(4)])],
        ".1 in 5": [any(either[:5])],
        ".1 in 10": [any(either)],
        ".1 in 10, warned": [_twice(seen)],
        ".01 in 15, slow": [any(held.slow(drifting))],
        ".01 in 15, warned": [_twice(drift)],
    }


def _twice(found: Sequence[frozenset[Any]]) -> bool:
    return any(now & before for before, now in pairwise(found))
