"""Temperatures in another unit are told from seasons."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandera.pandas as pp
import pyarrow as pa
import pytest

import tidegate as tg
from tidegate_contracts.batch import Batch, Source
from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.faults.unit_change import unit_change
from tidegate_monitors.layout import Layout
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Block, Reference
from tidegate_monitors.rules import Evidence, rules
from tidegate_monitors.rules.unit_change import CONVERSIONS

COLD = [date(2013, 2, 8), date(2013, 2, 25), date(2013, 3, 21)]
ANY = [date(2013, 4, 10), date(2013, 7, 20), date(2013, 11, 28)]


def _judged(table: Any, reference: Reference, contract: tg.Contract) -> list[Alarm]:
    return list(rules()["unit_change"](Evidence(Profile.of(table, reference.layout), reference, contract)))


@pytest.mark.parametrize("column", ["temp", "dewp"])
@pytest.mark.parametrize("day", ANY, ids=str)
def test_kelvins_for_fahrenheit_are_found_in_every_season(
    deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract, day: date, column: str
) -> None:
    (alarm,) = _judged(unit_change(deliveries[day], column, *CONVERSIONS["°F as K"]), reference, flights_contract)
    assert (alarm.column, alarm.severity) == (column, Severity.CRITICAL)
    assert "°F as K" in alarm.message
    assert alarm.score is not None
    assert alarm.score > 1


@pytest.mark.parametrize("day", COLD, ids=str)
def test_celsius_for_fahrenheit_is_found_in_the_season_of_the_reference(
    deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract, day: date
) -> None:
    (alarm,) = _judged(unit_change(deliveries[day], "temp", *CONVERSIONS["°F as °C"]), reference, flights_contract)
    assert (alarm.column, alarm.severity) == ("temp", Severity.CRITICAL)
    assert "°F as °C" in alarm.message


def test_no_natural_day_and_no_block_changes_a_unit(
    natural: dict[date, Profile], reference: Reference, flights_contract: tg.Contract
) -> None:
    profiles = [*natural.values(), *(block.profile for block in reference.blocks)]
    judge = rules()["unit_change"]
    assert [alarm for profile in profiles for alarm in judge(Evidence(profile, reference, flights_contract))] == []


class Rooms(pp.DataFrameModel):
    """Temperatures of rooms, in several units."""

    celsius: float = pp.Field(metadata={"unit": "°C"})
    kelvin: float = pp.Field(metadata={"unit": "K"})
    unsaid: float
    steps: float = pp.Field(metadata={"unit": "mile"})


def _rooms(seed: int) -> Any:
    rng = np.random.default_rng(seed)
    level = 20 + rng.normal()
    degrees = {name: np.round(rng.normal(level, 2, 300), 1) for name in ("celsius", "unsaid", "steps")}
    return pa.table(degrees | {"kelvin": np.round(rng.normal(level + 273.15, 2, 300), 1)})


@pytest.fixture(scope="module")
def rooms() -> tuple[Reference, tg.Contract]:
    contract = tg.Contract(name="rooms", version="1.0.0", owner="lab", schema=Rooms)
    tables = [_rooms(seed) for seed in range(30)]
    layout = Layout.of([Batch("rooms", "", Source("", "", "", 0), table, table) for table in tables], contract)
    blocks = tuple(Block(str(number), None, Profile.of(table, layout)) for number, table in enumerate(tables))
    return Reference("rooms", contract.sha256, layout, blocks), contract


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("celsius", "°C as °F"),
        ("celsius", "°C as K"),
        ("kelvin", "K as °C"),
        ("kelvin", "K as °F"),
        ("unsaid", "°C as K"),
    ],
)
def test_every_scale_is_told_by_its_name(rooms: tuple[Reference, tg.Contract], column: str, name: str) -> None:
    table = _rooms(100)
    assert _judged(table, *rooms) == []
    (alarm,) = _judged(unit_change(table, column, *CONVERSIONS[name]), *rooms)
    assert alarm.column == column
    assert name in alarm.message


def test_only_what_is_a_temperature_is_converted(rooms: tuple[Reference, tg.Contract]) -> None:
    assert _judged(unit_change(_rooms(101), "steps", *CONVERSIONS["°C as K"]), *rooms) == []


def test_a_level_that_moved_without_its_spread_is_no_conversion(rooms: tuple[Reference, tg.Contract]) -> None:
    table = _rooms(102)
    warmer = unit_change(table, "celsius", 1.0, 48.0)  # where °F would be, but as narrow as before
    assert _judged(warmer, *rooms) == []
