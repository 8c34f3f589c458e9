"""Planted biases: how soon they are found, and under the right name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tests.bench.alarms.judging import generator
from tests.bench.alarms.rates import Rate
from tests.bench.labels.family import TOLERANCE, judged
from tests.bench.labels.plan import Plan
from tests.bench.labels.worlds import NAMES, World
from tidegate_monitors.bias_cells import Key
from tidegate_monitors.bias_interval import BATCHES_MINIMUM, BATCHES_SOUND
from tidegate_monitors.bias_stream import slow_bias
from tidegate_monitors.cohort import WHOLE, Cohort

SHIFT, WANTED, RUN_LENGTH = 0.05, 0.90, 200.0
WITHIN = {0.05: 5, 0.10: 8, 0.22: 14}
REFERENCES = (0, 30, 60)
HOW = {"predictions + .05": ((SHIFT,), ()), "labels + .05": ((), (SHIFT,))}
PLANTED = Key(NAMES[0], None)

Says = Callable[[Sequence[Cohort], Sequence[Cohort]], bool]


@dataclass(frozen=True, slots=True)
class Found:
    """How often a planted bias was found in its slice.

    Attributes:
        how: What was done.
        by: The judgement or the stream.
        rate: The base rate.
        reference: Cohorts of the reference.
        within: Batches since it began.
        found: Found and named, of all.
    """

    how: str
    by: str
    rate: float
    reference: int
    within: int
    found: Rate

    @property
    def met(self) -> bool:
        """Whether nine in ten are found."""
        return self.found.share >= WANTED


def power(how: str, plan: Plan) -> Iterator[Found]:
    """Every base rate with every reference, by the judgement and by the stream."""
    predictions, labels = HOW[how]
    for rate, within in WITHIN.items():
        world, rng = World(rate), generator("power", how, str(rate))
        slow = round(within * 1.5 - 0.01)
        slowly = BATCHES_SOUND + slow
        ways: dict[tuple[str, int, int, int], Says] = {
            **{("judgement", blocks, within, BATCHES_MINIMUM): _judgement for blocks in REFERENCES},
            ("stream", 0, slowly, BATCHES_SOUND + 1): _stream,
            **{("stream", blocks, slow, 1): _stream for blocks in REFERENCES if blocks},
        }
        hits = dict.fromkeys(ways, 0)
        for _ in range(plan.powers):
            reference = world.cohorts(max(REFERENCES), rng)
            calm = world.cohorts(BATCHES_SOUND, rng)
            shifted = world.cohorts(slow, rng, predictions=predictions, labels=labels)
            for key, says in ways.items():
                _, blocks, last, first = key
                told = [*calm, *shifted] if (key[0], blocks) == ("stream", 0) else shifted
                hits[key] += _sooner_or_later(says, told[:last], reference[:blocks], first)
        for (by, blocks, last, _), count in hits.items():
            shown = last - BATCHES_SOUND if (by, blocks) == ("stream", 0) else last
            yield Found(how, by, rate, blocks, shown, Rate(count, plan.powers))


def _sooner_or_later(says: Says, told: Sequence[Cohort], reference: Sequence[Cohort], first: int) -> bool:
    """Whether it is found after any batch from the first on; the last is asked first, since that mostly settles it."""
    return any(says(told[:count], reference) for count in range(len(told), first - 1, -1))


def _judgement(told: Sequence[Cohort], reference: Sequence[Cohort]) -> bool:
    return any(item.alarms and item.key == PLANTED for item in judged(told, reference))


def _stream(told: Sequence[Cohort], reference: Sequence[Cohort]) -> bool:
    found = slow_bias(told, reference, WHOLE, tolerance=TOLERANCE, run_length=RUN_LENGTH, binary=True)
    return any(item.alarms and item.key == PLANTED for item in found)
