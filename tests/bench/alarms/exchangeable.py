"""Random references: how often a batch exceeds that could as well have been one of the reference's blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandera.pandas as pandera
import pyarrow as pa

from tests.bench.alarms.history import History
from tests.bench.alarms.judging import Profiled, exceeding, generator, places, with_layout_of
from tests.bench.alarms.plan import Plan
from tests.bench.alarms.rates import Rate, Spread
from tidegate_monitors.reference import Reference

THIN = (300, 50)
NEAR_CONSTANT = "all rows, a column more that is near-constant"
OWN_LAYOUT = "all rows, cells of the reference alone"
_THIN_BLOCKS = 60
_OWN_BLOCKS = 30


@dataclass(frozen=True, slots=True)
class Exchangeable:
    """The rate of one dataset at one size.

    Attributes:
        dataset: The dataset.
        variant: What was done to the batches.
        blocks: Blocks in a reference.
        spread: The rate over references.
    """

    dataset: str
    variant: str
    blocks: int
    spread: Spread

    @property
    def promised(self) -> float:
        """The rate that exchangeable batches have."""
        return 1 / (self.blocks + 1)


def exchangeable(history: History, plan: Plan) -> Iterator[Exchangeable]:
    """Every size of reference, thinned batches, a near-constant column, and cells of the reference alone."""
    whole = Profiled.of(history)
    for blocks in plan.blocks:
        if blocks + 10 <= len(history.batches):
            spread = _over(whole, "all rows", blocks, plan.references, plan.tests)
            yield Exchangeable(history.name, "all rows", blocks, spread)
    for variant, change in _variants(history):
        other = history.changed(change)
        made = Profiled.of(_watching_one_more(other) if variant == NEAR_CONSTANT else other)
        spread = _over(made, variant, _THIN_BLOCKS, plan.thin_references, plan.thin_tests)
        yield Exchangeable(history.name, variant, _THIN_BLOCKS, spread)
    yield Exchangeable(history.name, OWN_LAYOUT, _OWN_BLOCKS, _own_layouts(history, plan))


def _variants(history: History) -> Iterator[tuple[str, Callable[[Any, int], Any]]]:
    rows = np.median([batch.rows for batch in history.batches])
    for size in THIN:
        if rows >= size * 1.2:
            yield f"{size} rows", _thinning(size, history.name)
    yield NEAR_CONSTANT, lambda table, number: with_near_constant(table, history.name, number)


def _thinning(rows: int, name: str) -> Callable[[Any, int], Any]:
    return lambda table, number: thinned(table, rows, name, number)


def thinned(table: Any, rows: int, *names: str | int) -> Any:
    """So many of a table's rows at random, in their order."""
    if table.num_rows <= rows:
        return table
    return table.take(np.sort(generator("thin", *names).choice(table.num_rows, rows, replace=False)))


def _over(made: Profiled, variant: str, blocks: int, references: int, tests: int) -> Spread:
    name, total = made.history.name, len(made.history.batches)
    rates = []
    for number in range(references):
        order = generator("exchangeable", name, variant, blocks, number).permutation(total)
        rates.append(_rate(made, made.reference(order[:blocks]), order[blocks : blocks + tests].tolist()))
    return Spread(tuple(rates))


def _rate(made: Profiled, reference: Reference, tests: list[int]) -> Rate:
    rng = generator("rate", made.history.name, len(reference.blocks), *tests)
    contract = made.history.contract
    hits = [bool(places(exceeding(made.profiles[number], reference, contract, rng), made.history)) for number in tests]
    return Rate(sum(hits), len(hits))


def _own_layouts(history: History, plan: Plan) -> Spread:
    rates = []
    for number in range(plan.own_references):
        order = generator("own layout", history.name, number).permutation(len(history.batches)).tolist()
        picked, tests = order[:_OWN_BLOCKS], order[_OWN_BLOCKS : _OWN_BLOCKS + plan.tests]
        made = with_layout_of(history, picked, tests)
        rates.append(_rate(made, made.reference(picked), tests))
    return Spread(tuple(rates))


def _watching_one_more(history: History) -> History:
    """The same history under a contract that also declares the near-constant column."""
    schema = history.contract.pandera_schema.add_columns({"near_constant": pandera.Column(float)})
    return replace(history, contract=replace(history.contract, schema=schema))


def with_near_constant(table: Any, *names: str | int) -> Any:
    """The table with a column of which 99.5 % of rows hold one value, and the rest are uniform."""
    rng = generator("near-constant", *names)
    values = np.where(rng.random(table.num_rows) < 0.995, 0.0, rng.random(table.num_rows))
    return table.append_column("near_constant", pa.array(values))
