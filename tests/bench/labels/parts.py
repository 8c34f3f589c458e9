"""The parts of the bench: what is measured for each table, and in which pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tests.bench.labels import coverage, family, flights, masked, power, run_length, tables
from tests.bench.labels.plan import Plan


@dataclass(frozen=True, slots=True)
class Part:
    """One table.

    Attributes:
        tasks: What is measured by itself, each with other arguments.
        measure: Measures one of them.
        written: Makes the table.
    """

    tasks: tuple[tuple[Any, ...], ...]
    measure: Callable[..., Iterable[Any]]
    written: Callable[[Any], str]


def _stream(world: str, reference: int, plan: Plan) -> list[run_length.RunLength]:
    return [run_length.run_lengths(world, reference, plan)]


PARTS = {
    "intervals": Part(
        tuple((kind,) for kind in ("constant", "varying", "clustered", "normal", "skewed")),
        coverage.coverage,
        tables.intervals,
    ),
    "family": Part(tuple((world,) for world in family.WORLDS), family.families, tables.family),
    "flights": Part(tuple((way,) for way in flights.WAYS), flights.real_nulls, tables.family),
    "power": Part(tuple((how,) for how in power.HOW), power.power, tables.power),
    "masked": Part(((),), masked.masked, tables.masked),
    "immature": Part(((),), masked.immature, tables.immature),
    "stream": Part(
        tuple((world, blocks) for world in run_length.WORLDS for blocks in run_length.REFERENCES),
        _stream,
        tables.run_length,
    ),
}


def measured(part: str, task: tuple[Any, ...], plan: Plan) -> list[Any]:
    """What was found in one task."""
    return list(PARTS[part].measure(*task, plan))
