"""The stream where nothing is wrong: how many batches pass between false alarms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.bench.alarms.judging import generator
from tests.bench.labels.family import TOLERANCE
from tests.bench.labels.plan import Plan
from tests.bench.labels.power import RUN_LENGTH
from tests.bench.labels.worlds import World
from tidegate_monitors.bias_stream import REMEMBERED, slow_bias
from tidegate_monitors.cohort import WHOLE, Cohort

WORLDS: Mapping[str, World] = {
    "independent rows, base rate .05": World(0.05),
    "days of sd .03, base rate .20": World(0.2, day=0.03),
}
REFERENCES = (30, 60)
_EVERY = 4
_NEAR = 0.4


@dataclass(frozen=True, slots=True)
class RunLength:
    """Streams of batches in which nothing is wrong, each with a reference of its own.

    Attributes:
        world: Where batches come from.
        reference: Cohorts of the reference.
        streams: How many streams.
        batches: Batches that were watched, each stream up to its first alarm.
        proven: Streams whose evidence reached the threshold, whatever the effect.
        alarms: Streams that alarmed: the effect was larger than the tolerance too.
        batches_to_alarm: Batches watched until the first alarm, or the end.
    """

    world: str
    reference: int
    streams: int
    batches: int
    proven: int
    alarms: int
    batches_to_alarm: int

    @property
    def mean(self) -> float:
        """Batches to a false alarm of the evidence alone, on average: the best guess of an exponential time."""
        return self.batches / max(self.proven, 1)

    @property
    def met(self) -> bool:
        """Whether a mean run length of 200 would leave so many false alarms or more in at least 5 of 100 cases."""
        from scipy.stats import poisson

        return bool(poisson.sf(self.proven - 1, self.batches / RUN_LENGTH) >= 0.05)

    @property
    def lower(self) -> float:
        """The least mean run length that so many false alarms leave possible, at 95 %, one-sided.

        Alarms as a Poisson process: its rate's upper bound is a quantile of chi-squared over twice the batches.
        """
        from scipy.special import gammaincinv

        return self.batches / float(gammaincinv(self.proven + 1, 0.95))


def run_lengths(world: str, reference: int, plan: Plan) -> RunLength:
    """So many streams with one size of reference."""
    rng = generator("run length", world, reference)
    proven, alarms, watched, quiet = 0, 0, 0, 0
    for _ in range(plan.streams):
        known = WORLDS[world].cohorts(reference, rng)
        told = WORLDS[world].cohorts(plan.stream_batches, rng)
        first, first_alarm = _firsts(told, known)
        proven += first is not None
        alarms += first_alarm is not None
        watched += first or len(told)
        quiet += first_alarm or len(told)
    return RunLength(world, reference, plan.streams, watched, proven, alarms, quiet)


def _firsts(told: list[Cohort], known: list[Cohort]) -> tuple[int | None, int | None]:
    """After how many batches the evidence first reaches the threshold, and after how many it first alarms.

    Every fourth batch is asked, and those between two of which one is near: evidence grows and shrinks by steps.
    """
    proof = cache_of(lambda count: _largest(told[max(0, count - REMEMBERED) : count], known))
    first = first_alarm = None
    for end in range(_EVERY, len(told) + 1, _EVERY):
        near = max(proof(max(end - _EVERY, 1))[0], proof(end)[0]) > _NEAR
        for count in range(end - _EVERY + 1, end + 1) if near else (end,):
            evidence, alarmed = proof(count)
            first = count if first is None and evidence > 1 else first
            first_alarm = count if first_alarm is None and alarmed else first_alarm
        if first_alarm is not None:
            break
    return first, first_alarm


def _largest(told: list[Cohort], known: list[Cohort]) -> tuple[float, bool]:
    """The largest evidence over its threshold, and whether a cell alarms."""
    found = slow_bias(told, known, WHOLE, tolerance=1e-9, run_length=RUN_LENGTH, binary=True)
    return max(item.ratio for item in found), any(item.alarms and abs(item.effect) > TOLERANCE for item in found)


def cache_of(asked: Callable[[int], tuple[float, bool]]) -> Callable[[int], tuple[float, bool]]:
    """The same, asked once for each number."""
    known: dict[int, tuple[float, bool]] = {}

    def once(count: int) -> tuple[float, bool]:
        if count not in known:
            known[count] = asked(count)
        return known[count]

    return once
