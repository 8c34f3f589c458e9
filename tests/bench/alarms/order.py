"""Real order: the batches that follow a reference, and references that span the season."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

import tidegate as tg
from tests.bench.alarms.history import History
from tests.bench.alarms.judging import (
    Place,
    Profiled,
    exceeding,
    generator,
    places,
    spread_over,
    with_layout_of,
)
from tests.bench.alarms.plan import Plan
from tests.bench.alarms.rates import Rate
from tests.bench.alarms.slow import told

NEAR, FAR = 30, 90
_SIZES = (30, 60)
_SEASON_BLOCKS = 60


@dataclass(frozen=True, slots=True)
class Ordered:
    """What follows runs of consecutive reference batches.

    Attributes:
        dataset: The dataset.
        blocks: Blocks in a reference.
        latest: Whether the latest accepted blocks had to agree.
        near: Batches that exceed, of the first thirty after the reference.
        far: Of the thirty-first to the ninetieth.
        near_warnings: Batches with the same exceedance for the second time in a row, of the first thirty.
        far_warnings: Of the later ones.
        columns: Columns that exceeded, with in how many batches.
    """

    dataset: str
    blocks: int
    latest: bool
    near: Rate
    far: Rate
    near_warnings: Rate
    far_warnings: Rate
    columns: tuple[tuple[str, int], ...]

    @property
    def limit(self) -> float:
        """Twice the rate of exchangeable batches."""
        return 2 / (self.blocks + 1)


@dataclass(frozen=True, slots=True)
class Seasonal:
    """What lies between the batches of references that span the whole history.

    Attributes:
        dataset: The dataset.
        blocks: Blocks in a reference.
        single: Batches that exceed.
        warnings: Batches with the same exceedance for the second time in a row.
        slow: Batches at which the stream tells of any column.
        columns: Columns that warned, with their number of warnings.
    """

    dataset: str
    blocks: int
    single: Rate
    warnings: Rate
    slow: Rate
    columns: tuple[tuple[str, int], ...]


def ordered(history: History, plan: Plan) -> Iterator[Ordered]:
    """Runs at equal distances over the history, held against the pinned reference alone, and against the latest too."""
    total = len(history.batches)
    for blocks in _SIZES:
        last = total - blocks - NEAR
        if last < 0:
            continue
        count = max(1, min(plan.starts, last // NEAR + 1))
        starts = sorted({round(i * last / max(count - 1, 1)) for i in range(count)})
        kinds = (False, True)
        rates = {latest: [Rate(0, 0)] * 4 for latest in kinds}
        seen = {latest: Counter[str]() for latest in kinds}
        for start in starts:
            tests = range(start + blocks, min(start + blocks + FAR, total))
            made = with_layout_of(history, range(start, start + blocks), tests)
            for latest in kinds:
                found = singles_and_warnings(made, range(start, start + blocks), tests, latest=latest)
                seen[latest].update(name for row in found for name in named(row[2]))
                parts = [[bool(row[i]) for row in part] for i in (2, 1) for part in (found[:NEAR], found[NEAR:])]
                rates[latest] = [r + Rate(sum(p), len(p)) for r, p in zip(rates[latest], parts, strict=True)]
        for latest in kinds:
            near, far, near_warnings, far_warnings = rates[latest]
            columns = tuple(seen[latest].most_common(4))
            yield Ordered(history.name, blocks, latest, near, far, near_warnings, far_warnings, columns)


def singles_and_warnings(
    made: Profiled, reference: Sequence[int], tests: Sequence[int], *, latest: bool = False
) -> list[tuple[int, frozenset[Place], frozenset[Place]]]:
    """For each test batch in order: its number, what exceeds for the second time in a row, and what exceeds."""
    history, held = made.history, made.reference(reference)
    rng = generator("order", history.name, len(reference), reference[0])
    found, before = [], frozenset[Place]()
    for number in tests:
        newer = made.latest(number, len(reference), reference[0]) if latest else None
        now = places(exceeding(made.profiles[number], held, history.contract, rng, newer), history)
        found.append((number, now & before, now))
        before = now
    return found


def named(found: Iterable[Place]) -> set[str]:
    """The columns of places; of the table, the statistics."""
    return {str(place[0] or place[-2]) for place in found}


def paced(history: History) -> tg.Contract:
    """The contract with the cadence that the batches have, so that the stream knows how far blocks lie apart."""
    starts = sorted(batch.window.start for batch in history.batches if batch.window)
    if len(starts) < 2:
        return history.contract
    return replace(history.contract, cadence=median(later - one for one, later in pairwise(starts)))


def seasonal(history: History, plan: Plan) -> Seasonal:
    """References of every second, third or later batch; the batches between are held against them in order."""
    total, single, warned, drifting = len(history.batches), Rate(0, 0), Rate(0, 0), Rate(0, 0)
    columns: Counter[str] = Counter()
    blocks = 0
    for offset in range(plan.offsets):
        picked = spread_over(total, _SEASON_BLOCKS, offset)
        blocks = len(picked)
        tests = sorted(set(range(total)) - set(picked))
        made = with_layout_of(history, picked, tests)
        found = singles_and_warnings(made, picked, tests)
        slow = list(told((made.profiles[i] for i in tests), made.reference(picked), paced(history)))
        drifting += Rate(sum(map(bool, slow)), len(slow))
        single += Rate(sum(bool(now) for _, _, now in found), len(found))
        warned += Rate(sum(bool(again) for _, again, _ in found), len(found))
        columns.update(name for _, again, _ in found for name in named(again))
    return Seasonal(history.name, blocks, single, warned, drifting, tuple(columns.most_common(4)))
