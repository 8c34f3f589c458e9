"""One value that suddenly holds many rows: found in real days, by its place and its likely cause."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pytest

import tidegate as tg
from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.faults.clipped_values import clipped_values
from tidegate_monitors.faults.garbage_values import garbage_values
from tidegate_monitors.faults.imputed_values import imputed_values
from tidegate_monitors.faults.outlier_burst import outlier_burst
from tidegate_monitors.faults.unit_change import unit_change
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Reference
from tidegate_monitors.rules import Evidence, rules

DAYS = [date(2013, 4, 11), date(2013, 6, 2), date(2013, 9, 5), date(2013, 12, 12)]


@dataclass(frozen=True)
class Fault:
    """A fault, and what is said of it.

    Attributes:
        column: Into which column it is put.
        put: Puts it into a table.
        severity: How much it matters.
        cause: Words of the message.
    """

    column: str
    put: Callable[[Any], Any]
    severity: Severity
    cause: str

    def __str__(self) -> str:
        return f"{self.column}-{self.severity.value}-{self.cause}"


def _stand_in(column: str, value: object, share: float) -> Callable[[Any], Any]:
    return lambda table: garbage_values(
        table, column, value, round(share * table.num_rows), np.random.default_rng(table.num_rows)
    )


def _mean(column: str, share: float) -> Callable[[Any], Any]:
    return lambda table: imputed_values(
        table, column, round(share * table.num_rows), np.random.default_rng(table.num_rows)
    )


FAULTS = [
    Fault("distance", _stand_in("distance", 0.0, 0.1), Severity.WARNING, "below all"),
    Fault("distance", _stand_in("distance", 9999.0, 0.3), Severity.CRITICAL, "above all"),
    Fault("p_late", _stand_in("p_late", -1.0, 0.08), Severity.WARNING, "below all"),
    Fault("temp", _stand_in("temp", -999.0, 0.05), Severity.WARNING, "below all"),
    Fault("visib", _stand_in("visib", 9999.0, 0.3), Severity.CRITICAL, "above all"),
    Fault("distance", _mean("distance", 0.1), Severity.WARNING, "filled in"),
    Fault("p_late", _mean("p_late", 0.3), Severity.CRITICAL, "filled in"),
    Fault("distance", lambda table: clipped_values(table, "distance", 0.1), Severity.WARNING, "cut off"),
    Fault("p_late", lambda table: clipped_values(table, "p_late", 0.3), Severity.CRITICAL, "cut off"),
]


def _judged(table: Any, reference: Reference, contract: tg.Contract) -> list[Alarm]:
    return list(rules()["garbage_values"](Evidence(Profile.of(table, reference.layout), reference, contract)))


@pytest.mark.parametrize("day", DAYS, ids=str)
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_value_that_fills_many_rows_is_found_on_its_column(
    fault: Fault, day: date, deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    (alarm,) = _judged(fault.put(deliveries[day]), reference, flights_contract)
    assert (alarm.check, alarm.column, alarm.severity) == ("garbage_values", fault.column, fault.severity)
    assert fault.cause in alarm.message
    assert alarm.score is not None
    assert alarm.threshold is not None
    assert alarm.score > alarm.threshold >= 0.03


def test_no_natural_day_has_a_new_value(
    natural: dict[date, Profile], reference: Reference, flights_contract: tg.Contract
) -> None:
    judge = rules()["garbage_values"]
    profiles = {**natural, **{block.batch: block.profile for block in reference.blocks}}
    found = [day for day, profile in profiles.items() if list(judge(Evidence(profile, reference, flights_contract)))]
    assert len(profiles) > 300
    assert found == []


@pytest.mark.parametrize("factor", [1.609344, 10.0, 0.1])
def test_values_that_all_moved_are_no_new_value(
    factor: float, deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    table = unit_change(deliveries[DAYS[0]], "distance", factor)
    assert _judged(table, reference, flights_contract) == []


def test_many_different_extremes_are_no_new_value(
    deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    table = outlier_burst(deliveries[DAYS[0]], "visib", 30.0, 50, np.random.default_rng(1))
    assert _judged(table, reference, flights_contract) == []


def test_a_share_that_days_differ_by_anyway_is_no_new_value(
    deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    table = deliveries[DAYS[0]]
    usual = pc.mode(table["temp"])[0]["mode"].as_py()
    assert _judged(_stand_in("temp", usual, 0.05)(table), reference, flights_contract) == []


def test_the_place_is_told_by_the_edges_of_the_reference_and_never_by_the_value_itself(
    deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    (alarm,) = _judged(_stand_in("distance", 1034.56789, 0.1)(deliveries[DAYS[0]]), reference, flights_contract)
    assert "1034" not in alarm.message
    edges = reference.layout.cells["distance"].edges
    low = max(edge for edge in edges if edge < 1034.56789)
    high = min(edge for edge in edges if edge > 1034.56789)
    assert f"between {low:.6g} and {high:.6g}" in alarm.message


def test_a_reference_of_few_blocks_tells_nothing(
    deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    few = replace(reference, blocks=reference.blocks[:4])
    assert _judged(FAULTS[1].put(deliveries[DAYS[0]]), few, flights_contract) == []
