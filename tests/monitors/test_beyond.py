"""Most values beyond all that the reference had: told, however much a column moves by nature."""

from __future__ import annotations

from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import tidegate as tg
from tidegate_contracts.severity import Severity
from tidegate_monitors.beyond import beyond
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Reference


@pytest.mark.parametrize(
    ("column", "offset", "severity"),
    [("pressure", -100.0, Severity.INFO), ("pressure", 90.0, Severity.INFO), ("distance", 6000.0, Severity.WARNING)],
)
def test_a_column_that_left_the_reference_is_told(
    column: str,
    offset: float,
    severity: Severity,
    deliveries: dict[date, Any],
    reference: Reference,
    flights_contract: tg.Contract,
) -> None:
    table = deliveries[date(2013, 4, 9)]
    moved = table.set_column(table.column_names.index(column), column, pc.add(table[column], pa.scalar(offset)))
    found = beyond(Profile.of(moved, reference.layout), reference, flights_contract)
    (alarm,) = (item for item in found if item.column == column)  # a warm day leaves February by itself
    assert (alarm.check, alarm.column, alarm.severity) == ("drift", column, severity)
    assert ("below" if offset < 0 else "above") in alarm.message


def test_natural_days_leave_the_reference_with_the_season_only(
    natural: dict[date, Profile], reference: Reference, flights_contract: tg.Contract
) -> None:
    found = {
        alarm.column or "" for profile in natural.values() for alarm in beyond(profile, reference, flights_contract)
    }
    assert {flights_contract.columns[column].drift for column in found} == {"info"}  # February has seen no summer
