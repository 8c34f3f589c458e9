"""Each rule finds its fault in real days, on the right column, and leaves the clean twin of the day alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pandera.pandas as pp
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import tidegate as tg
from tidegate_contracts.batch import Batch, Source, Window
from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.faults.class_collapse import class_collapse
from tidegate_monitors.faults.duplicate_rows import duplicate_rows
from tidegate_monitors.faults.redelivered_batch import redelivered_batch
from tidegate_monitors.faults.unit_change import unit_change
from tidegate_monitors.layout import Layout
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Block, Reference
from tidegate_monitors.rules import Evidence, judge, rules

DAYS = [date(2013, 4, 10), date(2013, 5, 20), date(2013, 9, 4), date(2013, 11, 28)]


def _column(table: Any, name: str, values: Any) -> Any:
    return table.set_column(table.column_names.index(name), name, values)


def _some(table: Any, name: str, value: object, share: float) -> Any:
    """The table with a value put into the first rows of a column."""
    rows = math.ceil(share * table.num_rows)
    kind = table.schema.field(name).type
    fresh = pa.array([value] * rows + table.column(name).to_pylist()[rows:], kind)
    return _column(table, name, fresh)


def _all_missing(table: Any, name: str) -> Any:
    return _column(table, name, pa.nulls(table.num_rows, table.schema.field(name).type))


@dataclass(frozen=True)
class Fault:
    """A fault and what has to be said of it.

    Attributes:
        rule: Which rule finds it.
        column: On which column.
        put: Puts it into a table.
        severity: How much it matters.
    """

    rule: str
    column: str
    put: Callable[[Any], Any]
    severity: Severity = Severity.CRITICAL

    def __str__(self) -> str:
        return f"{self.rule}-{self.column}-{self.severity.value}"


FAULTS = [
    Fault("unit_change", "distance", lambda table: unit_change(table, "distance", 1.609344)),
    Fault("unit_change", "distance", lambda table: unit_change(table, "distance", 1000)),
    Fault("unit_change", "pressure", lambda table: unit_change(table, "pressure", 100)),
    Fault("class_collapse", "p_late", lambda table: class_collapse(table, "p_late", np.random.default_rng(1))),
    Fault("zero_variance", "distance", lambda table: _some(table, "distance", 0.0, 1)),
    Fault("zero_variance", "carrier", lambda table: _some(table, "carrier", "UA", 1)),
    Fault("missingness_jump", "carrier", lambda table: _all_missing(table, "carrier")),
    Fault("missingness_jump", "temp", lambda table: _all_missing(table, "temp")),
    Fault("missingness_jump", "distance", lambda table: table.drop_columns(["distance"])),
    Fault("missingness_jump", "scheduled", lambda table: table.drop_columns(["scheduled"])),
    Fault("non_finite", "distance", lambda table: _some(table, "distance", math.inf, 0.001)),
    Fault("non_finite", "p_late", lambda table: _some(table, "p_late", -math.inf, 0.5)),
    Fault("category_change", "dest", lambda table: _some(table, "dest", "XXX", 0.2)),
    Fault("category_change", "dest", lambda table: _some(table, "dest", "XXX", 0.05), Severity.WARNING),
    Fault("category_change", "carrier", lambda table: _column(table, "carrier", pc.utf8_lower(table["carrier"]))),
]


def test_every_rule_has_its_fault() -> None:
    elsewhere = {path.stem.removeprefix("test_rules_") for path in Path(__file__).parent.glob("test_rules_*.py")}
    assert set(rules()) <= {fault.rule for fault in FAULTS} | elsewhere


@pytest.mark.parametrize("day", DAYS, ids=str)
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_is_found_on_its_column_and_no_other_column_is_blamed(
    fault: Fault, day: date, deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    profile = Profile.of(fault.put(deliveries[day]), reference.layout)
    found = list(judge(Evidence(profile, reference, flights_contract)))
    assert [(alarm.check, alarm.column, alarm.severity) for alarm in found] == [
        (fault.rule, fault.column, fault.severity)
    ]
    alarm = found[0]
    assert alarm.score is not None
    assert alarm.threshold is not None
    assert alarm.score >= alarm.threshold
    assert repr(fault.column) in alarm.message


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_the_clean_twin_of_a_faulty_day_breaks_no_rule(
    day: date, natural: dict[date, Profile], reference: Reference, flights_contract: tg.Contract
) -> None:
    assert list(judge(Evidence(natural[day], reference, flights_contract))) == []


def test_no_day_of_the_reference_breaks_a_rule(reference: Reference, flights_contract: tg.Contract) -> None:
    for block in reference.blocks:
        assert list(judge(Evidence(block.profile, reference, flights_contract))) == [], block.batch


def test_no_natural_day_breaks_a_critical_rule_but_the_one_whose_weather_was_never_recorded(
    natural: dict[date, Profile], reference: Reference, flights_contract: tg.Contract
) -> None:
    found: dict[date, set[tuple[str, str | None]]] = {}
    for day, profile in natural.items():
        for alarm in judge(Evidence(profile, reference, flights_contract)):
            if alarm.severity is Severity.CRITICAL:
                found.setdefault(day, set()).add((alarm.check, alarm.column))
    assert len(natural) == 275
    last = date(2013, 12, 31)
    gone = {name for name, column in natural[last].columns.items() if column.rows == column.missing}
    assert gone == {"temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"}
    # gusts and pressure are often missing in the reference too, so that nobody can be surprised
    assert found == {last: {("missingness_jump", name) for name in gone - {"wind_gust", "pressure"}}}


def test_the_rules_warn_of_natural_days_only_where_summer_brings_new_destinations(
    natural: dict[date, Profile], reference: Reference, flights_contract: tg.Contract
) -> None:
    warned = [
        (day, alarm.check, alarm.column)
        for day, profile in natural.items()
        for alarm in judge(Evidence(profile, reference, flights_contract))
        if alarm.severity is Severity.WARNING
    ]
    assert {(check, column) for _, check, column in warned} == {("category_change", "dest")}
    assert all(6 <= day.month <= 8 for day, _, _ in warned)


def test_an_empty_batch_breaks_no_rule(reference: Reference, flights_contract: tg.Contract) -> None:
    assert list(judge(Evidence(Profile.empty(reference.layout), reference, flights_contract))) == []


@pytest.mark.parametrize("rows", [1, 3, 9])
def test_a_handful_of_equal_rows_is_no_collapse(
    rows: int, deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    few = deliveries[DAYS[0]].take(pa.array([0] * rows))
    assert list(judge(Evidence(Profile.of(few, reference.layout), reference, flights_contract))) == []


def test_a_severity_of_the_contract_takes_the_place_of_the_default(
    deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    milder = replace(flights_contract, severity={"unit_change": "warning"})
    profile = Profile.of(FAULTS[0].put(deliveries[DAYS[0]]), reference.layout)
    assert [alarm.severity for alarm in judge(Evidence(profile, reference, milder))] == [Severity.WARNING]


def test_rows_sent_twice_and_batches_sent_again_are_seen_by_the_fingerprint(
    deliveries: dict[date, Any], natural: dict[date, Profile], reference: Reference
) -> None:
    day = DAYS[0]
    again = Profile.of(redelivered_batch(deliveries[day]), reference.layout)
    twice = Profile.of(duplicate_rows(deliveries[day], "carrier", "UA"), reference.layout)
    assert again.fingerprint == natural[day].fingerprint
    assert twice.fingerprint != natural[day].fingerprint
    assert twice.rows > natural[day].rows
    assert len({profile.fingerprint for profile in natural.values()}) == len(natural)


def test_numbers_that_came_as_text_are_not_called_equal(
    deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    table = deliveries[DAYS[0]]
    text = _column(table, "distance", table["distance"].cast(pa.string()))
    found = judge(Evidence(Profile.of(text, reference.layout), reference, flights_contract))
    assert "zero_variance" not in {alarm.check for alarm in found}


@pytest.mark.parametrize("finite", [0, 1])
def test_infinite_numbers_of_both_signs_are_not_called_equal(
    finite: int, deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    table = deliveries[DAYS[0]]
    signs = pa.array([100.0 if row < finite else math.inf * (-1) ** row for row in range(table.num_rows)])
    found = judge(
        Evidence(Profile.of(_column(table, "distance", signs), reference.layout), reference, flights_contract)
    )
    assert {alarm.check for alarm in found} == {"non_finite"}


class Readings(pp.DataFrameModel):
    """Columns whose drift is told in different ways."""

    watched: float = pp.Field(nullable=True)
    told: float = pp.Field(nullable=True, metadata={"drift": "info"})
    off: float = pp.Field(nullable=True, metadata={"drift": "off"})
    code: str = pp.Field(nullable=True)


def _readings(rng: np.random.Generator, rows: int = 300) -> Any:
    numbers = {name: rng.lognormal(2, 1, rows) for name in ("watched", "told", "off")}
    return pa.table({**numbers, "code": rng.choice([f"c{number}" for number in range(40)], rows)})


@pytest.fixture(scope="module")
def readings() -> tuple[tg.Contract, Reference]:
    """A contract with a column that nobody watches, and its reference."""
    return _held_against([_readings(rng) for rng in map(np.random.default_rng, range(400, 412))])


def _held_against(tables: list[Any]) -> tuple[tg.Contract, Reference]:
    contract = tg.Contract(name="readings", version="1.0.0", owner="lab", schema=Readings)
    layout = Layout.of([Batch("readings", "", Source("", "", "", 0), table, table) for table in tables], contract)
    blocks = tuple(Block(str(number), None, Profile.of(table, layout)) for number, table in enumerate(tables))
    return contract, Reference("readings", contract.sha256, layout, blocks)


def _judged(table: Any, readings: tuple[tg.Contract, Reference]) -> list[Alarm]:
    contract, held_against = readings
    return list(judge(Evidence(Profile.of(table, held_against.layout), held_against, contract)))


@pytest.mark.parametrize(
    ("check", "put"),
    [
        ("unit_change", lambda values: values * 1000),
        ("zero_variance", lambda values: values * 0),
        ("missingness_jump", lambda values: values * np.nan),
        ("non_finite", lambda values: np.where(values > 10, np.inf, values)),
    ],
)
def test_rules_watch_every_column_but_those_whose_drift_is_off(
    check: str, put: Callable[[Any], Any], readings: tuple[tg.Contract, Reference]
) -> None:
    table = _readings(np.random.default_rng(41))
    assert _judged(table, readings) == []
    for name in ("watched", "told", "off"):
        table = _column(table, name, pa.array(put(table.column(name).to_numpy())))
    assert [(alarm.check, alarm.column) for alarm in _judged(table, readings)] == [(check, "watched"), (check, "told")]


@pytest.mark.parametrize("factor", [10, 100, 1000, 1e6, 60, 3600, 1 / 24, 1 / 0.3048, 1 / 2.54])
def test_a_factor_between_known_units_is_a_unit_change(factor: float, readings: tuple[tg.Contract, Reference]) -> None:
    table = _readings(np.random.default_rng(42))
    changed = _column(table, "watched", pa.array(table.column("watched").to_numpy() * factor))
    assert [(alarm.check, alarm.column) for alarm in _judged(changed, readings)] == [("unit_change", "watched")]


def test_infinities_that_the_reference_had_too_are_nothing_new() -> None:
    rngs = map(np.random.default_rng, range(13))
    first, *others = [_some(_readings(rng), "watched", math.inf, 0.01) for rng in rngs]
    assert _judged(first, _held_against(others)) == []


def test_a_move_that_changes_the_shape_is_no_unit_change(readings: tuple[tg.Contract, Reference]) -> None:
    table = _readings(np.random.default_rng(43))
    wider = _column(table, "watched", pa.array(table.column("watched").to_numpy() ** 2 * 10))
    assert _judged(wider, readings) == []


def test_codes_that_are_all_new_are_new_and_not_called_equal(readings: tuple[tg.Contract, Reference]) -> None:
    table = _readings(np.random.default_rng(44))
    upper = _column(table, "code", pc.utf8_upper(table["code"]))
    assert [(alarm.check, alarm.column) for alarm in _judged(upper, readings)] == [("category_change", "code")]


def test_codes_that_were_rare_before_are_not_called_equal(readings: tuple[tg.Contract, Reference]) -> None:
    cells = readings[1].layout.cells["code"]
    assert len(cells.pooled) >= 2  # with 12 blocks of 300 rows, most of forty codes share the pooled cell
    rng = np.random.default_rng(45)
    table = _column(_readings(rng), "code", pa.array(rng.choice(list(cells.pooled), 300)))
    assert "zero_variance" not in {alarm.check for alarm in _judged(table, readings)}


def test_the_flights_have_the_columns_that_the_faults_are_put_into(flights: pd.DataFrame) -> None:
    assert {fault.column for fault in FAULTS} <= set(flights.columns)


# the number of rows, learnt from the reference's days of the same weekday


def _window(day: date) -> Window:
    start = datetime.combine(day, time(), ZoneInfo("America/New_York"))
    return Window(start, start + timedelta(days=1))


@pytest.fixture(scope="module")
def learnt(reference: Reference, flights_contract: tg.Contract) -> Callable[[Profile, date], list[Alarm]]:
    """The rule's word on a profile of some day, with a reference whose blocks know their days."""
    contract = replace(flights_contract, volume="learnt")
    blocks = tuple(replace(block, window=_window(date.fromisoformat(block.batch))) for block in reference.blocks)
    known = replace(reference, blocks=blocks)

    def judged(profile: Profile, day: date) -> list[Alarm]:
        return list(rules()["volume"](Evidence(profile, known, contract, _window(day))))

    return judged


@pytest.mark.parametrize(
    ("share", "severity"), [(0.7, Severity.WARNING), (0.3, Severity.CRITICAL)], ids=["a part", "little"]
)
@pytest.mark.parametrize("day", DAYS[:2], ids=str)
def test_a_day_that_lost_rows_is_unlike_its_weekdays(
    learnt: Callable[[Profile, date], list[Alarm]],
    deliveries: dict[date, Any],
    reference: Reference,
    day: date,
    share: float,
    severity: Severity,
) -> None:
    table = deliveries[day]
    part = table.slice(0, int(share * table.num_rows))
    (alarm,) = learnt(Profile.of(part, reference.layout), day)
    assert (alarm.check, alarm.severity) == ("volume", severity)
    assert alarm.score is not None
    assert alarm.score > 1
    assert str(part.num_rows) in alarm.message


def test_a_saturday_has_fewer_rows_than_a_monday_may_have(
    learnt: Callable[[Profile, date], list[Alarm]], natural: dict[date, Profile]
) -> None:
    saturday = next(day for day in natural if day.weekday() == 5)
    assert learnt(natural[saturday], saturday) == []
    assert learnt(natural[saturday], saturday + timedelta(days=2)) != []


def test_few_natural_days_are_unlike_their_weekdays(
    learnt: Callable[[Profile, date], list[Alarm]], natural: dict[date, Profile]
) -> None:
    near = {day: profile for day, profile in natural.items() if day < date(2013, 6, 1)}
    unlike = [day for day, profile in near.items() if learnt(profile, day)]
    assert len(near) > 50
    assert set(unlike) <= {date(2013, 5, 26), date(2013, 5, 27)}  # the weekend of Memorial Day


def test_too_few_days_to_learn_from_are_no_evidence(
    reference: Reference, flights_contract: tg.Contract, natural: dict[date, Profile]
) -> None:
    contract = replace(flights_contract, volume="learnt")
    blocks = tuple(replace(block, window=_window(date.fromisoformat(block.batch))) for block in reference.blocks[:20])
    day, profile = next(iter(natural.items()))
    (told,) = rules()["volume"](Evidence(profile, replace(reference, blocks=blocks), contract, _window(day)))
    assert (told.check, told.severity) == ("insufficient_evidence", Severity.INFO)
