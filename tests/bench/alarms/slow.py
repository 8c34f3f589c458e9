"""The stream beside the other layers: which columns it tells of, batch after batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

import tidegate as tg
from tests.bench.alarms.judging import generator
from tests.bench.alarms.rates import Rate
from tidegate_flows.watched import watch_of
from tidegate_monitors.levels import levels
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Reference
from tidegate_monitors.stream import RATES, Stream, advance, evidence_cap, slow_drifts, step
from tidegate_monitors.watch import Watch

_NULL_REFERENCES, _NULL_BATCHES = 40, 1_000


def told(profiles: Iterable[Profile], reference: Reference, contract: tg.Contract) -> Iterator[frozenset[str]]:
    """After each batch, in order, the columns that are told to drift."""
    watch, stream = watch_of(reference, contract), Stream.fresh(reference.sha256)
    for number, profile in enumerate(profiles):
        stream = step(stream, watch, levels(profile, reference, contract), str(number))
        yield frozenset(item.column for item in slow_drifts(stream, watch))


def null_alarms(columns: int, rows: int, blocks: int) -> Rate:
    """Batches at which any column is told to drift though none does: levels of independent rows, many batches long."""
    alarms = 0
    for number in range(_NULL_REFERENCES):
        rng = generator("null stream", number)
        own = rng.normal(0, rows**-0.5, (columns, blocks))
        names = [f"x{column:02d}" for column in range(columns)]
        watch = Watch.fit("null", dict(zip(names, own - own.mean(1, keepdims=True), strict=True)), [None] * blocks)
        evidence, cap = np.zeros((columns, 2, len(RATES))), evidence_cap(watch)
        for _ in range(_NULL_BATCHES):
            now = rng.normal(0, rows**-0.5, columns) - own.mean(1)
            excess = np.array([watch.gauges[name].excess(float(level)) for name, level in zip(names, now, strict=True)])
            evidence = advance(evidence, excess, cap)
            alarms += bool((np.log(np.exp(evidence).mean(axis=(1, 2))) > watch.threshold).any())
    return Rate(alarms, _NULL_REFERENCES * _NULL_BATCHES)
