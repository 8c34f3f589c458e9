"""A model that stops telling rows apart, in three ways, in real days."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import date
from typing import Any

import numpy as np
import pandera.pandas as pr
import pyarrow as pa
import pytest

import tidegate as tg
from tidegate_contracts.batch import Batch, Source
from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.faults.class_collapse import favoured_class, flat_predictions
from tidegate_monitors.layout import Layout
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Block, Reference
from tidegate_monitors.rules import Evidence
from tidegate_monitors.rules.class_collapse import class_collapse

DAYS = [date(2013, 4, 10), date(2013, 9, 4), date(2013, 11, 28)]
BOUNDS = {"short": (0.1, 0.6), "medium": (0.1, 0.7), "long": (0.05, 0.5)}


def said(table: Any, reference: Reference, contract: tg.Contract) -> list[Alarm]:
    return list(class_collapse(Evidence(Profile.of(table, reference.layout), reference, contract)))


@pytest.mark.parametrize("day", DAYS, ids=str)
@pytest.mark.parametrize("share", [0.0, 0.01])
def test_predictions_that_hardly_vary_are_found_and_half_of_the_spread_is_not(
    share: float, day: date, deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    (alarm,) = said(flat_predictions(deliveries[day], "p_late", share), reference, flights_contract)
    assert (alarm.check, alarm.column, alarm.severity) == ("class_collapse", "p_late", Severity.CRITICAL)
    assert alarm.score is not None
    assert alarm.threshold is not None
    assert alarm.score >= alarm.threshold
    assert said(flat_predictions(deliveries[day], "p_late", 0.5), reference, flights_contract) == []


def test_no_natural_day_collapses(
    natural: dict[date, Profile], reference: Reference, flights_contract: tg.Contract
) -> None:
    assert not any(list(class_collapse(Evidence(p, reference, flights_contract))) for p in natural.values())


# predictions that are classes: how far a flight goes, in place of a model of three classes

Classed = Callable[[Any], Any]


def by_name(table: Any) -> Any:
    """A class for each row, as text."""
    miles = np.asarray(table.column("distance").to_numpy())
    return table.append_column("said", pa.array(np.array(list(BOUNDS))[np.digitize(miles, [700, 1300])].tolist()))


def by_number(table: Any) -> Any:
    """The same classes as whole numbers."""
    miles = np.asarray(table.column("distance").to_numpy())
    return table.append_column("said", pa.array(np.digitize(miles, [700, 1300])))


@pytest.fixture(scope="module", params=["names", "numbers"])
def classed(request: pytest.FixtureRequest, deliveries: dict[date, Any], flights_contract: tg.Contract) -> Any:
    """How a day is classed, the contract, its reference of February, and the class that is favoured."""
    numbers = request.param == "numbers"
    put, kind = (by_number, int) if numbers else (by_name, str)
    own = {item.name: getattr(flights_contract, item.name) for item in fields(flights_contract)}
    schema = flights_contract.pandera_schema.add_columns({"said": pr.Column(kind), "came": pr.Column(kind)})
    bounds = dict(enumerate(BOUNDS.values())) if numbers else BOUNDS
    contract = tg.Contract(**(own | {"schema": schema, "prediction": "said", "label": "came", "classes": bounds}))
    batches = [
        Batch("flights", str(day), Source(f"{day}.parquet", ".parquet", "", 0), table, table)
        for day, table in ((day, put(deliveries[day])) for day in deliveries if day.month == 2)
    ]
    layout = Layout.of(batches, contract)
    blocks = tuple(Block(item.id, None, Profile.of(item.table, layout)) for item in batches)
    return put, contract, Reference("flights", contract.sha256, layout, blocks), 2 if numbers else "long"


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_one_class_above_its_bound_is_found_and_the_clean_twin_is_not(
    classed: Any, day: date, deliveries: dict[date, Any]
) -> None:
    put, contract, known, name = classed
    clean = put(deliveries[day])
    (alarm,) = said(favoured_class(clean, "said", name, 0.6, np.random.default_rng(1)), known, contract)
    assert (alarm.check, alarm.column, alarm.severity) == ("class_collapse", "said", Severity.CRITICAL)
    assert f"the class {name!r}, of which the contract allows 50.0%" in alarm.message
    assert alarm.score is not None
    assert alarm.threshold is not None
    assert alarm.score >= alarm.threshold
    assert said(clean, known, contract) == []


def test_no_natural_day_breaks_a_class_bound(classed: Any, deliveries: dict[date, Any]) -> None:
    put, contract, known, _ = classed
    days = [day for day in deliveries if day.month > 3 and day.day % 3 == 0]
    assert [day for day in days if said(put(deliveries[day]), known, contract)] == []
