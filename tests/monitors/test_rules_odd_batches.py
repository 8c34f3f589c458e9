"""Nothing fails on a batch or a reference that has next to nothing in it, and no number is infinite or NaN."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import tidegate as tg
from tidegate_contracts.batch import Batch, Source
from tidegate_contracts.check import check
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Reference
from tidegate_monitors.rules import Evidence, rules
from tidegate_monitors.slice_drift import carrier, slice_comparisons
from tidegate_monitors.verdict import decide, observe

DAY = date(2013, 4, 10)


def _nothing(table: Any) -> Any:
    return pa.table({field.name: pa.nulls(table.num_rows, field.type) for field in table.schema})


def _infinities(table: Any) -> Any:
    numbers = pa.array(np.resize([math.inf, -math.inf, 1.0], table.num_rows))
    return table.set_column(table.column_names.index("distance"), "distance", numbers)


def _text(table: Any) -> Any:
    return table.set_column(table.column_names.index("distance"), "distance", table["distance"].cast(pa.string()))


BATCHES: dict[str, Callable[[Any], Any]] = {
    "as it is": lambda table: table,
    "empty": lambda table: table.slice(0, 0),
    "one row": lambda table: table.slice(0, 1),
    "ten rows": lambda table: table.slice(0, 10),
    "all missing": _nothing,
    "constant": lambda table: table.take(pa.array([0] * 200)),
    "no columns": lambda table: table.select([]),
    "two columns": lambda table: table.select(["scheduled", "temp"]),
    "text for numbers": _text,
    "infinities": _infinities,
}


@pytest.mark.parametrize("blocks", ["many", "one", "four", "empty", "constant", "all missing"])
def test_every_rule_and_comparison_has_an_answer_for_every_batch_and_reference(
    blocks: str, deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    table, contract = deliveries[DAY], replace(flights_contract, volume="learnt")
    if blocks in BATCHES:
        profile = Profile.of(BATCHES[blocks](table), reference.layout)
        few = tuple(replace(block, profile=profile) for block in reference.blocks[:8])
    else:
        few = reference.blocks[: {"many": 60, "one": 1, "four": 4}[blocks]]
    held_against = replace(reference, blocks=few)
    for name, odd in BATCHES.items():
        profile = Profile.of(odd(table), reference.layout)
        for rule in rules().values():
            for alarm in rule(Evidence(profile, held_against, contract)):
                assert all(number is None or math.isfinite(number) for number in (alarm.score, alarm.threshold)), name
        for comparison in slice_comparisons(profile, held_against, contract, np.random.default_rng(1)):
            assert math.isfinite(comparison.score or 0.0), name
        found = carrier(profile, held_against, "distance")
        assert found is None or math.isfinite(found[1]), name


@pytest.mark.parametrize("odd", BATCHES)
def test_a_verdict_of_an_odd_batch_has_no_number_that_is_not_finite(
    odd: str, deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    table = BATCHES[odd](deliveries[DAY])
    batch = Batch(flights_contract.name, "b", Source("b.parquet", ".parquet", "", 0), table, table)
    profile, rng = Profile.of(table, reference.layout), np.random.default_rng(2)
    seen = observe(check(batch, flights_contract), profile, reference, flights_contract, rng, latest=reference)
    verdict = decide(seen, {}, flights_contract)
    alarms = [item for item in verdict.findings if isinstance(item, Alarm)]
    numbers = [item.score for item in (*alarms, *verdict.comparisons)]
    numbers += [item.threshold for item in (*alarms, *verdict.comparisons)] + [*seen.levels.values()]
    assert all(number is None or math.isfinite(number) for number in numbers)
    if odd in ("one row", "ten rows"):
        assert {item.kind for item in alarms if item.check != "volume"} == {"insufficient_evidence"}
