"""Families: how often a judgement of all cells alarms although the model is right on average."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.bench.alarms.judging import generator
from tests.bench.alarms.rates import Rate
from tests.bench.labels.plan import Plan
from tests.bench.labels.worlds import World
from tidegate_monitors.bias_alarms import Judged, judge_bias
from tidegate_monitors.bias_cells import Family
from tidegate_monitors.cohort import WHOLE, Cohort

ALPHAS = (0.05, 0.02)
TOLERANCE = 0.02
LENGTHS = (5, 14, 28)
REFERENCES = (0, 30, 60)
WORLDS: Mapping[str, World] = {
    "independent rows, base rate .05": World(0.05),
    "independent rows, base rate .20": World(0.2),
    "days of sd .01, base rate .05, unequal batches": World(0.05, day=0.01, unequal=True),
    "days of sd .05, base rate .20, unequal batches": World(0.2, day=0.05, unequal=True),
    "days of sd .05 and of slices .03, base rate .20, unequal batches": World(
        0.2, day=0.05, slice_day=0.03, unequal=True
    ),
}


@dataclass(frozen=True, slots=True)
class FamilyRate:
    """What was found of one world, at one length, with one reference.

    Attributes:
        world: Where batches come from.
        batches: Batches that are judged together.
        reference: Cohorts of the reference.
        alarms: By rate of false alarms, judgements with an alarm in any cell.
        material: The same of alarms whose effect is larger than the tolerance.
        families: At the first rate, judgements with an alarm in each kind of cell, whatever its effect.
    """

    world: str
    batches: int
    reference: int
    alarms: Mapping[float, Rate]
    material: Mapping[float, Rate]
    families: Mapping[str, int]

    @property
    def met(self) -> bool:
        """Whether the share is no more than is asked, or not provably more."""
        return all(not exceeds(rate, alpha) for alpha, rate in self.alarms.items())


def exceeds(rate: Rate, limit: float) -> bool:
    """Whether a true share of ``limit`` would show so many hits in less than 5 of 100 cases."""
    from scipy.stats import binom

    return bool(binom.sf(rate.hits - 1, rate.batches, limit) < 0.05)


class Count:
    """Counts judgements."""

    def __init__(self, chosen: Callable[[Judged], bool] = lambda _: True) -> None:
        self._chosen = chosen
        self._any: Counter[float] = Counter()
        self._material: Counter[float] = Counter()
        self._families: Counter[str] = Counter()
        self._total = 0

    def add(self, judged: Iterable[Judged]) -> None:
        """One judgement."""
        low = [item for item in judged if item.p_value < max(ALPHAS) and self._chosen(item)]
        self._total += 1
        for alpha in ALPHAS:
            now = [item for item in low if item.p_value < alpha]
            self._any[alpha] += bool(now)
            self._material[alpha] += any(abs(item.effect) > TOLERANCE for item in now)
        self._families.update({item.key.family.value for item in low})

    def found(self, world: str, batches: int, reference: int) -> FamilyRate:
        """All of them."""
        alarms, material = (
            {alpha: Rate(counter[alpha], self._total) for alpha in ALPHAS} for counter in (self._any, self._material)
        )
        families = {family.value: self._families[family.value] for family in Family}
        return FamilyRate(world, batches, reference, alarms, material, families)


def judged(current: Sequence[Cohort], reference: Sequence[Cohort], alpha: float = ALPHAS[0]) -> tuple[Judged, ...]:
    """One judgement of all cells."""
    return judge_bias(current, reference, WHOLE, tolerance=TOLERANCE, alpha=alpha, binary=True)


def families(name: str, plan: Plan) -> Iterator[FamilyRate]:
    """One world at every length and with every reference; each history has a reference of its own."""
    world, rng = WORLDS[name], generator("family", name)
    counts = {(length, blocks): Count() for length in LENGTHS for blocks in REFERENCES}
    for _ in range(plan.families):
        reference, current = world.cohorts(max(REFERENCES), rng), world.cohorts(max(LENGTHS), rng)
        for (length, blocks), count in counts.items():
            count.add(judged(current[-length:], reference[:blocks]))
    for (length, blocks), count in counts.items():
        yield count.found(name, length, blocks)
