"""No rule fails on a batch or a reference that has next to nothing in it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

import tidegate as tg
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Reference
from tidegate_monitors.rules import Evidence, rules

DAY = date(2013, 4, 10)


def _nothing(table: Any) -> Any:
    return pa.table({field.name: pa.nulls(table.num_rows, field.type) for field in table.schema})


def _constant(table: Any) -> Any:
    return table.take(pa.array([0] * 200))


BATCHES: dict[str, Callable[[Any], Any]] = {
    "as it is": lambda table: table,
    "empty": lambda table: table.slice(0, 0),
    "one row": lambda table: table.slice(0, 1),
    "ten rows": lambda table: table.slice(0, 10),
    "all missing": _nothing,
    "constant": _constant,
    "no columns": lambda table: table.select([]),
    "two columns": lambda table: table.select(["scheduled", "temp"]),
}


@pytest.mark.parametrize("blocks", ["many", "one", "four", "empty", "constant", "all missing"])
@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("name", rules())
def test_a_rule_has_an_answer_for_every_batch_and_reference(
    deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract, name: str, batch: str, blocks: str
) -> None:
    table = deliveries[DAY]
    if blocks in BATCHES:
        few = tuple(
            replace(block, profile=Profile.of(BATCHES[blocks](table), reference.layout))
            for block in reference.blocks[:8]
        )
    else:
        few = reference.blocks[: {"many": 60, "one": 1, "four": 4}[blocks]]
    held_against = replace(reference, blocks=few)
    contract = replace(flights_contract, volume="learnt")
    profile = Profile.of(BATCHES[batch](table), reference.layout)
    for alarm in rules()[name](Evidence(profile, held_against, contract)):
        assert alarm.score is None or math.isfinite(alarm.score), alarm
        assert alarm.threshold is None or math.isfinite(alarm.threshold), alarm
