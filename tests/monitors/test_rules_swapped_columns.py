"""Columns that changed places are both named; columns that moved alone are not."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pp
import pyarrow as pa
import pytest

import tidegate as tg
from tidegate_contracts.batch import Batch, Source
from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.faults.swapped_columns import swapped_columns
from tidegate_monitors.faults.timezone_shift import timezone_shift
from tidegate_monitors.layout import Layout
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Block, Reference
from tidegate_monitors.rules import Evidence, rules

DAYS = [date(2013, 4, 10), date(2013, 7, 20), date(2013, 11, 28)]


def _judged(table: Any, reference: Reference, contract: tg.Contract) -> list[Alarm]:
    return list(rules()["swapped_columns"](Evidence(Profile.of(table, reference.layout), reference, contract)))


@pytest.mark.parametrize("day", DAYS, ids=str)
@pytest.mark.parametrize(
    "pair",
    [
        ("distance", "p_late"),
        ("distance", "pressure"),
        ("distance", "visib"),
        ("temp", "pressure"),
        ("precip", "wind_speed"),
        ("carrier", "origin"),
        ("origin", "dest"),
        ("carrier", "dest"),
    ],
    ids="-".join,
)
def test_two_columns_in_each_others_place_are_both_named(
    deliveries: dict[date, Any],
    reference: Reference,
    flights_contract: tg.Contract,
    day: date,
    pair: tuple[str, str],
) -> None:
    (alarm,) = _judged(swapped_columns(deliveries[day], *pair), reference, flights_contract)
    assert set(alarm.columns) == set(pair)
    assert alarm.severity is Severity.CRITICAL
    assert all(repr(name) in alarm.message for name in pair)
    assert alarm.score is not None
    assert alarm.threshold is not None
    assert alarm.score > alarm.threshold


def test_no_natural_day_and_no_block_has_columns_in_the_wrong_place(
    natural: dict[date, Profile], reference: Reference, flights_contract: tg.Contract
) -> None:
    profiles = [*natural.values(), *(block.profile for block in reference.blocks)]
    judge = rules()["swapped_columns"]
    assert [alarm for profile in profiles for alarm in judge(Evidence(profile, reference, flights_contract))] == []


class Trips(pp.DataFrameModel):
    """Trips with two times, two numbers of which one is always less, and two that nobody can tell apart."""

    start: pd.DatetimeTZDtype = pp.Field(dtype_kwargs={"unit": "us", "tz": "UTC"})
    end: pd.DatetimeTZDtype = pp.Field(dtype_kwargs={"unit": "us", "tz": "UTC"})
    low: float
    high: float
    one: float
    other: float


def _trips(seed: int) -> Any:
    rng = np.random.default_rng(seed)
    day = pd.Timestamp("2024-03-01", tz="UTC") + pd.Timedelta(days=seed)
    start = day + pd.to_timedelta(rng.normal(9 * 60, 90, 400).clip(0, 1439), unit="min")
    end = start + pd.to_timedelta(rng.integers(10, 200, 400), unit="min")
    low = rng.normal(50 + 5 * rng.normal(), 3, 400)
    frame = {
        "start": pa.array(start.astype("datetime64[us, UTC]"), pa.timestamp("us", "UTC")),
        "end": pa.array(end.astype("datetime64[us, UTC]"), pa.timestamp("us", "UTC")),
        "low": low,
        "high": low + rng.exponential(5, 400) + 0.5,
    }
    return pa.table(frame | {name: rng.normal(0, 1, 400) for name in ("one", "other")})


@pytest.fixture(scope="module")
def trips() -> tuple[Reference, tg.Contract]:
    contract = tg.Contract(name="trips", version="1.0.0", owner="lab", schema=Trips)
    tables = [_trips(seed) for seed in range(30)]
    layout = Layout.of([Batch("trips", "", Source("", "", "", 0), table, table) for table in tables], contract)
    blocks = tuple(Block(str(number), None, Profile.of(table, layout)) for number, table in enumerate(tables))
    return Reference("trips", contract.sha256, layout, blocks), contract


@pytest.mark.parametrize("pair", [("start", "end"), ("low", "high")], ids="-".join)
@pytest.mark.parametrize("seed", range(100, 105))
def test_an_order_that_turned_round_shows_a_swap_that_looks_do_not(
    trips: tuple[Reference, tg.Contract], pair: tuple[str, str], seed: int
) -> None:
    table = _trips(seed)
    assert _judged(table, *trips) == []
    (alarm,) = _judged(swapped_columns(table, *pair), *trips)
    assert alarm.columns == pair
    assert alarm.severity is Severity.CRITICAL


def test_columns_that_nobody_can_tell_apart_may_change_places(trips: tuple[Reference, tg.Contract]) -> None:
    assert _judged(swapped_columns(_trips(110), "one", "other"), *trips) == []


def test_one_column_that_moved_past_the_other_is_no_swap(trips: tuple[Reference, tg.Contract]) -> None:
    table = _trips(111)
    assert _judged(timezone_shift(table, "start", 5), *trips) == []
    lower = table.set_column(table.column_names.index("high"), "high", pa.array(table["high"].to_numpy() / 10))
    assert _judged(lower, *trips) == []
