"""What is empty, constant, tiny, or held against next to nothing makes no structural rule fall over."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import tidegate as tg
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Reference
from tidegate_monitors.rules import Evidence, rules
from tidegate_monitors.slice_drift import carrier, slice_comparisons

DAY = date(2013, 4, 11)
CHECKS = ("garbage_values", "category_change", "outlier_burst", "volume")


def _strange(table: Any) -> dict[str, Any]:
    nothing = [pa.nulls(table.num_rows, field.type) for field in table.schema]
    return {
        "empty": table.slice(0, 0),
        "one row": table.slice(0, 1),
        "all missing": pa.table(nothing, schema=table.schema),
        "constant": table.take(pa.array([0] * 500)),
        "no columns": table.select([]),
        "nothing but the key": table.select(["flight_id"]),
        "text for numbers": table.set_column(5, "distance", table["distance"].cast(pa.string())),
        "infinities": table.set_column(5, "distance", pa.array([math.inf, -math.inf] * (table.num_rows // 2) + [1.0])),
    }


@pytest.mark.parametrize("blocks", [0, 1, 2, 5, 59])
def test_strange_batches_and_small_references_are_judged_in_finite_numbers(
    blocks: int, deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    contract = replace(flights_contract, volume="learnt", season=None)
    held = replace(reference, blocks=reference.blocks[:blocks])
    table = deliveries[DAY]
    table = table.slice(0, table.num_rows - 1 + table.num_rows % 2)
    for name, strange in _strange(table).items():
        profile = Profile.of(strange, held.layout)
        for check in CHECKS if blocks else ():  # there is no reference without blocks
            for alarm in rules()[check](Evidence(profile, held, contract)):
                assert alarm.score is None or math.isfinite(alarm.score), (name, alarm)
                assert alarm.threshold is None or math.isfinite(alarm.threshold), (name, alarm)
        for comparison in slice_comparisons(profile, held, contract, np.random.default_rng(1)):
            assert comparison.score is not None
            assert math.isfinite(comparison.score), (name, comparison)
        if blocks:
            assert carrier(profile, held, "distance") is None or profile.rows, name


def test_blocks_without_a_value_are_no_evidence(
    deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    empty = tuple(replace(block, profile=Profile.empty(reference.layout)) for block in reference.blocks[:8])
    held = replace(reference, blocks=empty)
    profile = Profile.of(deliveries[DAY], held.layout)
    found = [alarm for check in CHECKS for alarm in rules()[check](Evidence(profile, held, flights_contract))]
    assert {alarm.check for alarm in found} <= {"category_change"}
    assert slice_comparisons(profile, held, flights_contract, np.random.default_rng(1)) == ()
