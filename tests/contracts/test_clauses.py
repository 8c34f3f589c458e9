"""Each clause of our own finds its fault in real flights, on its column, and nothing in real days."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pr
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import tidegate as tg
from tests.contracts.columns import make_batch, make_contract
from tidegate_contracts.batch import Batch, Source, Window
from tidegate_contracts.catalogue import CATALOGUE
from tidegate_contracts.check import check
from tidegate_contracts.checksum import iban, luhn
from tidegate_contracts.circumstances import Circumstances
from tidegate_contracts.clauses import Subject, broken_clauses, clauses
from tidegate_contracts.clauses.broken_reference import matches
from tidegate_contracts.clauses.duplicate_rows import repeats
from tidegate_contracts.population import misfit
from tidegate_contracts.reasons import Broken
from tidegate_contracts.severity import Severity
from tidegate_flows.demo import data
from tidegate_monitors.faults.blank_records import blank_records
from tidegate_monitors.faults.broken_reference import broken_reference, fan_out
from tidegate_monitors.faults.duplicate_rows import duplicate_rows
from tidegate_monitors.faults.expired_rows import expired_rows
from tidegate_monitors.faults.garbage_values import garbage_values, mojibake
from tidegate_monitors.faults.incomplete_upstream import incomplete_upstream
from tidegate_monitors.faults.look_ahead import look_ahead
from tidegate_monitors.faults.non_finite import non_finite
from tidegate_monitors.faults.out_of_scope import out_of_scope
from tidegate_monitors.faults.personal_data_leak import KINDS, personal_data_leak
from tidegate_monitors.faults.poisoning_burst import edge_burst, poisoning_burst
from tidegate_monitors.faults.stale_data import stale_data
from tidegate_monitors.faults.suppressed_people import suppressed_people
from tidegate_monitors.faults.unrepresentative_sample import unrepresentative_sample
from tidegate_monitors.faults.volume import volume

DAY = timedelta(days=1)
DAYS = [data.FIRST + timedelta(days=number) for number in range(90)]
CARRIERS = tg.ForeignKey("carrier", "airlines.parquet")
ROUTES = tg.ForeignKey(("origin", "dest"), "routes.parquet", ("from", "to"))
MEMOS = ["Gate change announced", "Überflug genehmigt", "late crew, see log 12", "catering 4x", None]


def in_time(frame: Any) -> Any:
    """Whether the model was made for a flight."""
    return frame["distance"] < 6000


@dataclass(frozen=True)
class World:
    """Days of real flights, and all that their contract refers to."""

    contract: tg.Contract
    keyless: tg.Contract
    days: dict[date, Any]
    circumstances: Circumstances

    def batch(self, table: Any) -> Batch:
        """A table as a delivery."""
        bounds = pc.min_max(table.column("scheduled")).as_py()
        window = Window(bounds["min"], bounds["max"] + timedelta(microseconds=1))
        return Batch("flights", "one", Source("one.parquet", ".parquet", "", 0), table, table, window)

    def known(self, table: Any, **others: Any) -> Circumstances:
        """The circumstances of a delivery that came an hour after its window."""
        now = self.batch(table).window.end + timedelta(hours=1)  # type: ignore[union-attr] # there are rows
        usual = {"now": now, "arrived": now, "upstream": {"ops": table.num_rows}, "delivered": table.num_rows}
        return replace(self.circumstances, **(usual | others))

    def broken(self, table: Any, contract: tg.Contract | None = None, **others: Any) -> list[Broken]:
        """What all clauses say of a table."""
        known = self.known(table, **others)
        return list(broken_clauses(Subject(self.batch(table), contract or self.contract, known)))


@pytest.fixture(scope="module")
def world(flights: pd.DataFrame, flights_contract: tg.Contract) -> World:
    rng = np.random.default_rng(7)
    schema = flights_contract.pandera_schema.add_columns(
        {
            "weather_at": pr.Column(pd.DatetimeTZDtype("us", "UTC")),
            "memo": pr.Column(str, nullable=True),
        }
    )
    arguments = {
        "name": "flights", "version": "1.0.0", "owner": "ops", "event_time": "scheduled",
        "time_zone": "America/New_York", "prediction": "p_late", "label": "late", "prediction_time": "scheduled",
        "label_delay": DAY, "cadence": DAY, "arrive_within": timedelta(hours=6), "freshness": timedelta(hours=12),
        "max_age": 2 * DAY, "volume": (500, 1200), "scope": in_time, "tolerance": 0.05,
        "upstream": (tg.Upstream("ops", manifest="ops.json"),), "references": (CARRIERS, ROUTES),
        "population": {"origin": flights["origin"].value_counts(normalize=True).to_dict()},
    }  # fmt: skip
    people = {"suppression": tg.Suppression("flight_id", "gone.txt")}
    days = {}
    for day, rows in flights.groupby("day", sort=True):
        if day in DAYS:
            table = data.table(rows)
            memo = pa.array([MEMOS[index] for index in rng.integers(0, len(MEMOS), len(rows))], pa.string())
            hour = pc.floor_temporal(table.column("scheduled"), unit="hour")
            days[day] = table.append_column("weather_at", hour).append_column("memo", memo)
    routes = flights[["origin", "dest"]].drop_duplicates().set_axis(["from", "to"], axis=1)
    tables = {
        CARRIERS: pa.table({"carrier": sorted(flights["carrier"].unique())}),
        ROUTES: pa.Table.from_pandas(routes, preserve_index=False),
    }
    nobody = frozenset({hashlib.sha256(b"nobody").hexdigest()})
    return World(
        tg.Contract(**arguments, **people, schema=schema, key=("flight_id",)),
        tg.Contract(**arguments, schema=schema.update_columns({"flight_id": {"unique": False}})),
        days,
        Circumstances(tables=MappingProxyType(tables), suppressed=nobody),
    )


def test_every_clause_is_a_check_of_the_catalogue() -> None:
    assert set(clauses()) <= set(CATALOGUE)
    assert len(clauses()) == 18


def test_ninety_real_days_break_no_clause(world: World) -> None:
    said = [
        (day, item.check, item.column, item.rule)
        for day, table in world.days.items()
        for contract in (world.contract, world.keyless)
        for item in world.broken(table, contract)
    ]
    assert len(world.days) == 90
    assert said == []


Put = Callable[[World, Any, np.random.Generator], tuple[Any, dict[str, Any]]]


@dataclass(frozen=True)
class Fault:
    """A fault, and what has to be said of it."""

    check: str
    column: str | None
    put: Put
    severity: Severity = Severity.CRITICAL
    sets_aside: bool | None = None
    keyless: bool = False


def _table(put: Callable[[Any, np.random.Generator], Any]) -> Put:
    return lambda _, table, rng: (put(table, rng), {})


def _people(world: World, table: Any, rng: np.random.Generator) -> tuple[Any, dict[str, Any]]:
    table, listed = suppressed_people(table, "flight_id", 4, rng)
    return table, {"suppressed": listed}


def _lost_carrier(world: World, table: Any, rng: np.random.Generator) -> tuple[Any, dict[str, Any]]:
    used = pa.table({"carrier": pc.unique(table.column("carrier"))})
    return table, {"tables": world.circumstances.tables | {CARRIERS: broken_reference(used, "carrier", 1, rng)}}


def _lost_route(world: World, table: Any, rng: np.random.Generator) -> tuple[Any, dict[str, Any]]:
    other = world.circumstances.tables[ROUTES]
    lost = pc.and_(pc.equal(other.column("from"), "JFK"), pc.equal(other.column("to"), "LAX"))
    return table, {"tables": world.circumstances.tables | {ROUTES: other.filter(pc.invert(lost))}}


def _two_carriers(world: World, table: Any, rng: np.random.Generator) -> tuple[Any, dict[str, Any]]:
    other = fan_out(world.circumstances.tables[CARRIERS], "carrier", "UA")
    return table, {"tables": world.circumstances.tables | {CARRIERS: other}}


def _late(world: World, table: Any, rng: np.random.Generator) -> tuple[Any, dict[str, Any]]:
    return table, {"arrived": world.batch(table).window.end + timedelta(hours=7)}  # type: ignore[union-attr]


def _unsent(world: World, table: Any, rng: np.random.Generator) -> tuple[Any, dict[str, Any]]:
    return table, {"upstream": {"ops": "its marker is not there"}}


def _cut(world: World, table: Any, rng: np.random.Generator) -> tuple[Any, dict[str, Any]]:
    return incomplete_upstream(table, 0.9), {"upstream": {"ops": table.num_rows}}


def _stale(world: World, table: Any, rng: np.random.Generator) -> tuple[Any, dict[str, Any]]:
    now = world.known(table).now
    moved = stale_data(stale_data(table, "scheduled", DAY), "weather_at", DAY)
    return moved, {"now": now, "arrived": world.known(moved).arrived}


def _with_label(world: World, table: Any, rng: np.random.Generator) -> tuple[Any, dict[str, Any]]:
    return table.append_column("late", pa.array(rng.integers(0, 2, table.num_rows).astype(float))), {}


def _garbage(column: str, value: object, rows: int) -> Fault:
    put = _table(lambda table, rng: garbage_values(table, column, value, rows, rng))
    return Fault("garbage_values", column, put, WARNING, sets_aside=False)


def _told(check: str, column: str | None, put: Callable[[Any, np.random.Generator], Any]) -> Fault:
    return Fault(check, column, _table(put), WARNING, sets_aside=False, keyless=check == "duplicate_rows")


def _leak(kind: str) -> Fault:
    put = _table(lambda table, rng: personal_data_leak(table, "memo", kind, 20, rng))
    return Fault("personal_data_leak", "memo", put)


def _after(table: Any, rng: np.random.Generator) -> Any:
    return look_ahead(table, "weather_at", "scheduled", timedelta(hours=2), 9, rng)


def _old(table: Any, rng: np.random.Generator) -> Any:
    return expired_rows(table, "scheduled", 9 * DAY, 12, rng)


def _no_lga(table: Any, rng: np.random.Generator) -> Any:
    return unrepresentative_sample(table, "origin", "LGA", 0.2, rng)


WARNING = Severity.WARNING
EDGES = {"distance": (0, 10_000), "temp": (-40, 130), "dewp": (-60, 100), "humid": (0, 100), "wind_dir": (0, 360)} | {
    "wind_speed": (0, 200), "wind_gust": (0, 250), "precip": (0, 10), "pressure": (900, 1100), "visib": (0, 10)
}  # fmt: skip
FEATURES = ("carrier", "origin", "dest", *EDGES, "weather_at", "memo")
FAULTS = [
    Fault("stale_data", "scheduled", _stale),
    Fault("late_batch", None, _late, WARNING),
    Fault("expired_rows", "scheduled", _table(_old), sets_aside=True),
    Fault("out_of_scope", None, _table(lambda t, r: out_of_scope(t, "distance", 9000.0, 12, r)), sets_aside=True),
    Fault("look_ahead", "weather_at", _table(_after), sets_aside=True),
    Fault("look_ahead", "late", _with_label, WARNING),
    Fault("incomplete_upstream", None, _unsent),
    Fault("incomplete_upstream", None, _cut),
    Fault("suppressed_people", "flight_id", _people, sets_aside=True),
    Fault("broken_reference", "carrier", _lost_carrier, sets_aside=True),
    Fault("broken_reference", None, _lost_route, sets_aside=True),
    Fault("broken_reference", "carrier", _two_carriers),
    Fault("unrepresentative_sample", "origin", _table(_no_lga), WARNING),
    Fault("volume", None, _table(lambda t, r: volume(t, 0.3, r))),
    Fault("volume", None, _table(lambda t, r: volume(t, 3.0, r))),
    _garbage("temp", -999.0, 3),
    _garbage("distance", 99999.0, 5),
    _garbage("precip", 1e20, 5),
    _garbage("weather_at", datetime(1970, 1, 1, tzinfo=UTC), 1),
    _garbage("memo", "NULL", 3),
    _garbage("memo", "", 4),
    _garbage("memo", "caf\ufffd", 4),
    _told("garbage_values", "memo", lambda t, _: mojibake(t, "memo")),
    *map(_leak, KINDS),
    _told("blank_records", None, lambda t, r: blank_records(t, FEATURES, 15, r)),
    _told("non_finite", "humid", lambda t, r: non_finite(t, "humid", 1, r)),
    _told("duplicate_rows", None, lambda t, _: duplicate_rows(t, "carrier", "UA")),
    _told("poisoning_burst", None, lambda t, r: poisoning_burst(t, ("flight_id",), 0.1, r)),
    _told("poisoning_burst", None, lambda t, r: edge_burst(t, EDGES, 15, r)),
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.check}-{fault.column}")
@pytest.mark.parametrize("day", [DAYS[3], DAYS[61]], ids=str)
def test_a_fault_in_a_real_day_is_found_under_its_name_and_on_its_column(world: World, fault: Fault, day: date) -> None:
    table, known = fault.put(world, world.days[day], np.random.default_rng(5))
    contract = world.keyless if fault.keyless else world.contract
    found = [item for item in world.broken(table, contract, **known) if item.check == fault.check]
    assert [item.column for item in found] == [fault.column]
    assert found[0].default is fault.severity
    if fault.sets_aside is None:
        assert found[0].rows is None
    else:
        assert found[0].promised is fault.sets_aside
        assert found[0].rows is not None
        assert found[0].rows.size


def test_rows_that_break_a_promise_are_set_aside_and_what_only_looks_wrong_stays(world: World) -> None:
    rng = np.random.default_rng(1)
    table = expired_rows(world.days[DAYS[5]], "scheduled", 9 * DAY, 12, rng)
    table = garbage_values(table, "memo", "N/A", 30, rng)
    checked = check(world.batch(table), world.contract, world.known(table, now=world.known(world.days[DAYS[5]]).now))
    assert not checked.critical
    assert checked.failed.sum() == 12
    failed = {item.check: item.failed for item in checked.violations}
    assert failed == {"expired_rows": 12, "look_ahead": 12, "garbage_values": 30}  # the weather is later than that
    assert all(item.examples for item in checked.violations)


def test_a_contract_may_have_what_only_looks_wrong_set_aside(world: World) -> None:
    table = garbage_values(world.days[DAYS[5]], "memo", "N/A", 20, np.random.default_rng(1))
    stern = replace_severity(world.contract, {"garbage_values": "critical"})
    checked = check(world.batch(table), stern, world.known(table))
    assert checked.failed.sum() == 20
    assert not checked.critical  # within the tolerance


def test_setting_rows_aside_does_not_make_a_whole_delivery_incomplete(world: World) -> None:
    table = out_of_scope(world.days[DAYS[5]], "distance", 9000.0, 12, np.random.default_rng(1))
    known = world.known(table)
    assert {item.check for item in check(world.batch(table), world.contract, known).violations} == {"out_of_scope"}


def replace_severity(contract: tg.Contract, words: dict[str, str]) -> tg.Contract:
    """The same contract with other severities."""
    own = {item.name: getattr(contract, item.name) for item in fields(contract)}
    return tg.Contract(**(own | {"severity": words}))


# questions that are not answered are not asked


def test_nothing_is_asked_that_nobody_knows(world: World) -> None:
    table = stale_data(world.days[DAYS[0]], "scheduled", 400 * DAY).drop(["weather_at"])
    nothing = Subject(world.batch(table), world.contract, Circumstances())
    assert list(broken_clauses(nothing)) == []


def test_a_label_is_told_of_only_until_it_can_be_known(world: World) -> None:
    table, _ = _with_label(world, world.days[DAYS[0]], np.random.default_rng(1))
    end = world.batch(table).window.end  # type: ignore[union-attr]
    for hours, told in ((1, True), (23, True), (25, False)):
        now = end + timedelta(hours=hours)
        found = [i.check for i in world.broken(table, now=now, arrived=end) if i.check == "look_ahead"]
        assert bool(found) is told


def test_a_label_whose_delay_is_only_that_of_all_labels_is_information() -> None:
    schema = pr.DataFrameSchema(
        {"at": pr.Column(pd.DatetimeTZDtype("us", "UTC")), "truth": pr.Column(float, nullable=True)}
    )
    contract = make_contract(schema, event_time="at", label="truth", label_delay=DAY)
    frame = pd.DataFrame({"at": pd.to_datetime(["2024-01-01"] * 2, utc=True).as_unit("us"), "truth": [1.0, None]})
    known = Circumstances(now=datetime(2024, 1, 1, 12, tzinfo=UTC))
    (found,) = list(broken_clauses(Subject(make_batch(frame, contract), contract, known)))
    assert (found.check, found.default, found.rows) == ("look_ahead", Severity.INFO, None)
    assert "1 of 2 rows" in found.rule


# scope


def of_scope(scope: Any, values: list[Any]) -> list[Broken]:
    """What the scope says of a column of numbers."""
    contract = make_contract(pr.DataFrameSchema({"a": pr.Column(float, nullable=True)}), scope=scope)
    return list(
        clauses()["out_of_scope"](Subject(make_batch(pd.DataFrame({"a": values}), contract), contract, Circumstances()))
    )


@pytest.mark.parametrize(
    "scope",
    [
        lambda frame: frame["a"] > 1,
        lambda frame: (frame["a"] > 1).to_numpy(),
        lambda frame: list(frame["a"] > 1),
        lambda frame: (frame["a"] > 1).astype("boolean").where(frame["a"] != 1),
        lambda frame: pd.Series([True if value > 1 else None for value in frame["a"]], dtype=object),
        pr.Check(lambda frame: frame["a"] > 1, name="above one"),
        pr.Check(lambda row: row["a"] > 1, element_wise=True),
    ],
)
def test_rows_of_which_the_scope_does_not_say_true_are_out_of_it(scope: Any) -> None:
    (found,) = of_scope(scope, [0.0, 2.0, 1.0, 3.0])
    assert found.rows is not None
    assert found.rows.tolist() == [0, 2]
    assert (found.check, found.column, found.promised) == ("out_of_scope", None, True)


@pytest.mark.parametrize(
    "scope",
    [
        lambda _: True,
        lambda _: [True],
        lambda frame: frame["a"],
        lambda frame: frame,
        lambda _: None,
        lambda frame: frame["b"],
        lambda _: 1 / 0,
        pr.Check(lambda _: False),
    ],
)
def test_a_scope_that_raises_or_gives_the_wrong_shape_is_no_verdict(scope: Any) -> None:
    with pytest.raises(tg.MonitorError, match="the scope of contract 'things'"):
        of_scope(scope, [0.0, 2.0])


def test_a_scope_that_wants_a_column_which_is_not_there_leaves_it_to_the_schema() -> None:
    contract = make_contract(
        pr.DataFrameSchema({"a": pr.Column(float), "b": pr.Column(float)}), scope=lambda frame: frame["b"] > 0
    )
    checked = check(make_batch(pd.DataFrame({"a": [1.0]}), contract), contract)
    assert {item.check for item in checked.violations} == {"schema_mismatch"}


# the other table

KEY = st.one_of(st.none(), st.integers(0, 3))


@given(st.lists(st.tuples(KEY, KEY), max_size=12), st.lists(st.tuples(KEY, KEY), max_size=12), st.booleans())
def test_matches_counts_as_a_loop_would(
    here: list[tuple[int | None, int | None]], there: list[tuple[int | None, int | None]], text: bool
) -> None:
    kind = pa.string() if text else pa.int64()
    left = [pa.chunked_array([pa.array([row[i] for row in here], pa.int64()).cast(kind)]) for i in (0, 1)]
    right = [pa.chunked_array([pa.array([row[i] for row in there], pa.int32())]) for i in (0, 1)]
    expected = [-1 if None in row else there.count(row) for row in here]
    assert matches(left, right).tolist() == expected


def test_an_unused_key_that_stands_twice_is_a_warning(world: World) -> None:
    twice = pa.table({"carrier": [*world.circumstances.tables[CARRIERS].column("carrier").to_pylist(), "ZZ", "ZZ"]})
    (found,) = world.broken(world.days[DAYS[0]], tables=world.circumstances.tables | {CARRIERS: twice})
    assert (found.check, found.default) == ("broken_reference", Severity.WARNING)


def test_plain_suppression_lists_are_read_as_they_are(world: World) -> None:
    table = world.days[DAYS[0]]
    somebody = table.column("flight_id")[3].as_py()
    plain = tg.Suppression("flight_id", "gone.txt", hashed=False)
    own = {item.name: getattr(world.contract, item.name) for item in fields(world.contract)}
    contract = tg.Contract(**(own | {"suppression": plain}))
    (found,) = world.broken(table, contract, suppressed=frozenset({somebody}))
    assert found.rows is not None
    assert found.rows.tolist() == [3]
    assert somebody not in found.rule


# check digits


def _luhn_by_hand(number: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


@given(st.lists(st.text("0123456789", min_size=12, max_size=19), max_size=6))
def test_luhn_is_what_it_is_by_hand(numbers: list[str]) -> None:
    assert luhn(numbers).tolist() == [_luhn_by_hand(number) for number in numbers]


@given(st.text("0123456789", min_size=11, max_size=30), st.integers(0, 28))
def test_an_account_number_with_its_check_digits_passes_and_with_two_digits_exchanged_does_not(
    account: str, place: int
) -> None:
    rest = int(f"{account}131400") % 97  # D is 13, E is 14
    number = f"DE{98 - rest:02}{account}"
    assert iban([number]).all()
    place = 4 + place % (len(account) - 1)
    first, second = number[place : place + 2]
    if first != second:
        assert not iban([number[:place] + second + first + number[place + 2 :]]).any()


def leaks(values: list[str | None], **metadata: Any) -> list[Broken]:
    """What is said of a column of text."""
    schema = pr.DataFrameSchema({"a": pr.Column(str, nullable=True, metadata=metadata)})
    contract = make_contract(schema)
    batch = make_batch(pa.table({"a": pa.array(values, pa.string())}), contract)
    return list(clauses()["personal_data_leak"](Subject(batch, contract, Circumstances())))


@given(st.integers(0, 2**32))
def test_random_identifiers_of_sixteen_digits_are_no_cards(seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert leaks([f"4{rest:015d}" for rest in rng.integers(0, 10**15, 300)]) == []


def test_what_is_marked_personal_or_seldom_or_always_the_same_is_no_leak() -> None:
    people = [f"someone{number}@example.com" for number in range(50)]
    assert leaks(people) != []
    assert leaks(people, personal=True) == []
    assert leaks([*people[:2], *["fine"] * 50]) == []
    assert leaks([*people[:5], *["fine"] * 600]) == []
    assert leaks(["ask help@example.com"] * 50) == []
    assert leaks([f"+{number}.5" for number in range(1_000_000, 1_000_050)]) == []
    assert leaks([f"2024-01-01T00:00:{second:02}+01:00" for second in range(50)]) == []


def test_no_finding_shows_a_value(world: World) -> None:
    for kind in KINDS:
        table = personal_data_leak(world.days[DAYS[0]], "memo", kind, 20, np.random.default_rng(2))
        (found,) = world.broken(table)
        values = set(table.column("memo").to_pylist()) - set(MEMOS)
        assert not any(value in found.rule for value in values)


# shares


@given(st.dictionaries(st.sampled_from("abcd"), st.integers(1, 500), min_size=1), st.integers(1, 4))
def test_counts_in_the_stated_shares_fit_and_the_distance_is_the_rows_to_change(
    counts: dict[str, int], more: int
) -> None:
    total = sum(counts.values())
    shares = {name: number / total for name, number in counts.items()}
    same = misfit(sample({name: number * more for name, number in counts.items()}), shares)
    assert same.distance == pytest.approx(0, abs=1e-12)
    assert same.p > 0.4
    strange = misfit(sample({"z": total}), shares)
    assert strange.distance == pytest.approx(1)
    assert "0.0% instead of" in strange.worst or strange.worst.startswith("categories that it does not name")


def sample(counts: dict[Any, int]) -> Any:
    """A column with so many rows of each category."""
    return pa.chunked_array([pa.array([name for name, number in counts.items() for _ in range(number)])])


@given(st.lists(st.integers(0, 90), min_size=2, max_size=5), st.data())
def test_the_chi_squared_is_that_of_scipy(counts: list[int], data: st.DataObject) -> None:
    from scipy.stats import chisquare

    weights = data.draw(st.lists(st.integers(1, 9), min_size=len(counts), max_size=len(counts)))
    shares = [weight / sum(weights) for weight in weights]
    expected = [share * sum(counts) for share in shares]
    assume(min(expected) >= 5)
    found = misfit(sample(dict(enumerate(counts))), dict(enumerate(shares)))
    assert found.p == pytest.approx(chisquare(counts, expected).pvalue, abs=1e-9)


@pytest.mark.parametrize(
    "shares",
    [
        {True: 0.5, False: 0.5},
        {"true": 0.5, "false": 0.5},
        {0: 0.5, 1: 0.5},
        {0.0: 0.5, 1.0: 0.5},
        {"0": 0.5, "1": 0.5},
    ],
    ids=str,
)
def test_shares_of_a_population_are_known_by_value_or_as_text(shares: dict[Any, float]) -> None:
    first = next(iter(shares))
    kinds = [bool] if str(first).lower() == "true" or first is True else [int, float]
    for kind in kinds:
        assert misfit(sample({kind(0): 100, kind(1): 100}), shares).distance == 0


# equal rows

CELL = st.one_of(st.none(), st.integers(0, 2))


@given(st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=15))
def test_repeats_are_the_rows_that_were_there_before(rows: list[tuple[int | None, ...]]) -> None:
    columns = [pa.chunked_array([pa.array([row[index] for row in rows], pa.int64())]) for index in range(3)]
    assert repeats(columns).tolist() == [place for place, row in enumerate(rows) if row in rows[:place]]


def _narrow(rng: np.random.Generator) -> pd.DataFrame:
    return pd.DataFrame({"a": rng.integers(0, 3, 500), "b": rng.integers(0, 4, 500)})


def test_equal_rows_of_a_narrow_table_are_natural() -> None:
    contract = make_contract(pr.DataFrameSchema({"a": pr.Column(int), "b": pr.Column(int)}))
    batch = make_batch(_narrow(np.random.default_rng(3)), contract)
    assert list(clauses()["duplicate_rows"](Subject(batch, contract, Circumstances()))) == []


# what must not cry wolf


def _sparse(rng: np.random.Generator) -> Iterator[tuple[str, Any]]:
    for name in ("clicks", "views", "buys", "returns"):
        yield name, rng.poisson(0.05, 1000).astype(float)


def test_columns_that_are_nearly_always_zero_make_no_blank_record() -> None:
    frame = pd.DataFrame(dict(_sparse(np.random.default_rng(4))))
    contract = make_contract(pr.DataFrameSchema({name: pr.Column(float) for name in frame}))
    assert (
        list(
            broken_clauses(
                Subject(make_batch(frame, contract), make_contract(contract.schema, key=("clicks",)), Circumstances())
            )
        )
        == []
    )


def numbers(values: list[float]) -> list[Broken]:
    """What is said of a column of numbers."""
    contract = make_contract(pr.DataFrameSchema({"a": pr.Column(float, nullable=True)}))
    batch = make_batch(pd.DataFrame({"a": values}), contract)
    return list(clauses()["garbage_values"](Subject(batch, contract, Circumstances())))


@given(st.integers(0, 2**32))
def test_a_sentinel_among_other_numbers_is_a_number(seed: int) -> None:
    rng = np.random.default_rng(seed)
    prices = np.round(rng.lognormal(6, 1.2, 400).clip(1, 5000), 2).tolist()
    assert numbers([*prices, 999.0, 999.0, 999.0]) == []
    assert numbers([*rng.integers(-2000, 2000, 400).astype(float), -999.0, -999.0, -999.0, 999.0]) == []
    assert [item.check for item in numbers([*prices, -999.0, -999.0, -999.0])] == ["garbage_values"]
    assert numbers([*prices, -999.0, -999.0]) == []


def test_what_the_contract_allows_is_no_garbage() -> None:
    for allowed, told in ((["red", "-"], False), (None, True)):
        checks = pr.Check.isin(allowed) if allowed else None
        contract = make_contract(pr.DataFrameSchema({"a": pr.Column(str, checks)}))
        batch = make_batch(pd.DataFrame({"a": ["red"] * 9 + ["-"] * 4}), contract)
        found = list(clauses()["garbage_values"](Subject(batch, contract, Circumstances())))
        assert bool(found) is told


def test_categories_that_go_together_are_no_flood() -> None:
    rng = np.random.default_rng(6)
    place = rng.choice(12, 2000, p=np.array([30, 15, 10, 8, 7, 6, 6, 5, 4, 4, 3, 2]) / 100)
    frame = pd.DataFrame(
        {name: [f"{name}{value}" for value in place] for name in ("country", "money", "tongue", "zone")}
    )
    contract = make_contract(pr.DataFrameSchema({name: pr.Column(str) for name in frame}))
    assert list(clauses()["poisoning_burst"](Subject(make_batch(frame, contract), contract, Circumstances()))) == []


def test_a_flood_is_found_in_a_large_table_too() -> None:
    rng = np.random.default_rng(8)
    frame = pd.DataFrame({name: rng.normal(size=60_000) for name in "abcd"}).assign(
        e=rng.choice(["x", "y", None], 60_000)
    )
    contract = make_contract(
        pr.DataFrameSchema({name: pr.Column(float) for name in "abcd"} | {"e": pr.Column(str, nullable=True)})
    )
    table = poisoning_burst(pa.Table.from_pandas(frame, preserve_index=False), (), 0.08, rng)
    (found,) = list(clauses()["poisoning_burst"](Subject(make_batch(table, contract), contract, Circumstances())))
    assert found.rows is not None
    assert 0 <= found.rows.size - (table.num_rows - 60_000) <= 5
    assert list(clauses()["poisoning_burst"](Subject(make_batch(frame, contract), contract, Circumstances()))) == []


@pytest.mark.parametrize("kind", [pa.date32(), pa.date64()])
def test_events_of_which_only_the_day_is_known_grow_old_from_its_beginning(kind: Any) -> None:
    contract = make_contract(
        pr.DataFrameSchema({"day": pr.Column(pd.ArrowDtype(kind))}),
        event_time="day",
        time_zone="America/New_York",
        freshness=timedelta(hours=30),
        max_age=timedelta(days=2),
        tolerance=0.9,
    )
    batch = make_batch(pa.table({"day": pa.array([date(2024, 3, 1), date(2024, 3, 2)], kind)}), contract)
    midnight = datetime(2024, 3, 2, 5, tzinfo=UTC)

    def found(age: timedelta) -> set[str]:
        return {item.check for item in check(batch, contract, Circumstances(now=midnight + age)).violations}

    assert found(timedelta(hours=24)) == set()
    assert found(timedelta(hours=25)) == {"expired_rows"}
    assert found(timedelta(hours=31)) == {"expired_rows", "stale_data"}
