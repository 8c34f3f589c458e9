"""The Open Data Contract Standard: out, in, and out again; valid by its own JSON schema; hostile documents."""

from __future__ import annotations

import copy
import json
import string
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from importlib.resources import files
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pandera.pandas as pa
import pyarrow
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import tidegate as tg
from tidegate_contracts.duration import parse_duration
from tidegate_contracts.imported_source import source_of
from tidegate_contracts.odcs import text
from tidegate_contracts.odcs.plain import iso_duration, plain, unpaired
from tidegate_contracts.odcs.read import from_odcs
from tidegate_contracts.odcs.write import to_odcs

STANDARD = json.loads((files("open_data_contract_standard") / "schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.validators.validator_for(STANDARD)(STANDARD)
Load = Callable[[str], tg.Contract]


@pytest.fixture(scope="session")
def load(tmp_path_factory: pytest.TempPathFactory) -> Load:
    """The contract in the text of a file."""
    folder, numbers = tmp_path_factory.mktemp("contracts"), count()

    def loaded(code: str) -> tg.Contract:
        path = folder / f"made_{next(numbers)}.py"  # each its own, for Python keeps byte code by name, size and second
        path.write_text(code, encoding="utf-8", errors="surrogatepass")
        return tg.load_contract(path)

    return loaded


def through(document: dict[str, Any], load: Load) -> tuple[tg.Contract, tuple[str, ...]]:
    """A document as text, read, rendered, and loaded as a contract; and what was lost."""
    draft = from_odcs(text.read(text.write(document).encode()))
    contract = load(source_of(draft))
    assert contract.sha256 == draft.contract().sha256  # the file says what the draft says
    return contract, draft.lost


def minimal(**changes: Any) -> dict[str, Any]:
    """A small document by somebody else."""
    properties = [{"name": "id", "logicalType": "string", "required": True, "primaryKey": True}]
    usual = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": "8f1b",
        "name": "orders",
        "version": "1.0.0",
        "status": "active",
        "team": {"name": "shop"},
        "schema": [{"name": "orders", "properties": properties}],
    }
    return usual | changes


def with_property(**said: Any) -> dict[str, Any]:
    """A small document with one property that says more."""
    return minimal(schema=[{"name": "orders", "properties": [{"name": "x", **said}]}])


def custom(name: str, value: Any) -> dict[str, Any]:
    return {"property": name, "value": value}


def with_custom(name: str, value: Any) -> dict[str, Any]:
    return minimal(customProperties=[custom(name, value)])


def checks_of(document: dict[str, Any], name: str = "x") -> list[tuple[str, dict[str, Any]]]:
    column = from_odcs(document).contract().pandera_schema.columns[name]
    return [(check.name, check.statistics) for check in column.checks]


# ---- out, in, and out again


def test_the_contract_of_the_flights_says_the_same_after_out_and_in(flights_contract: tg.Contract, load: Load) -> None:
    assert [line.partition(":")[0] for line in to_odcs(flights_contract).lost] == ["scope"]  # it is code
    written = to_odcs(replace(flights_contract, scope=None))
    assert written.lost == ()
    VALIDATOR.validate(written.document)
    contract, lost = through(written.document, load)
    assert lost == ()
    assert to_odcs(contract).document == written.document
    assert contract.key == ("flight_id",)
    assert contract.alarm_budget == tg.AlarmBudget(one_in=50)
    assert contract.columns["distance"].unit == "mile"
    assert contract.columns["late"].available == timedelta(days=1)


def test_the_flights_keep_and_break_the_imported_contract_as_they_do_the_first(
    flights: pd.DataFrame, flights_contract: tg.Contract, load: Load
) -> None:
    contract, _ = through(to_odcs(flights_contract).document, load)
    day = flights.head(900).drop(columns=["late"])
    broken = day.assign(distance=day["distance"].where(day.index % 100 != 0, -1.0), origin="XXX")
    for frame, expected in ((day, set()), (broken, {"impossible_values", "category_change"})):
        first, second = tg.check(frame, flights_contract), tg.check(frame, contract)
        told = [{finding.check for finding in run.findings} & {"impossible_values", "category_change"} for run in
                (first, second)]  # fmt: skip
        assert told == [expected, expected]


NAMES = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)
WORDS = st.text(string.printable, max_size=20)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32)
TIMES = st.datetimes(pd.Timestamp("1900-01-01").to_pydatetime(), pd.Timestamp("2100-01-01").to_pydatetime())


def bounds(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    makers = st.sampled_from([pa.Check.ge, pa.Check.gt, pa.Check.le, pa.Check.lt, pa.Check.ne])
    return st.builds(lambda make, value: make(value), makers, values)


def dressed(least: int) -> Any:
    return pa.Check.ge(least, name="impossible_values", error="below zero", raise_warning=True)


def within(one: float, other: float, include_min: bool) -> Any:
    return pa.Check.in_range(min(one, other), max(one, other) + 1e32, include_min=include_min)


WHOLE = st.integers(-(2**60), 2**60)
KINDS: dict[Any, st.SearchStrategy[Any]] = {
    "float64": st.one_of(
        bounds(NUMBERS),
        st.builds(pa.Check.isin, st.lists(NUMBERS, min_size=1, max_size=3)),
        st.builds(dressed, st.integers(0, 9)),
        st.builds(within, NUMBERS, NUMBERS, st.booleans()),
    ),
    "int64": st.one_of(bounds(WHOLE), st.builds(pa.Check.notin, st.sets(WHOLE, min_size=1))),
    "Int32": bounds(st.integers(0, 9)),
    str: st.one_of(
        st.builds(pa.Check.isin, st.sets(WORDS, min_size=1, max_size=4)),
        st.builds(pa.Check.str_matches, st.sampled_from(["^[A-Z]{2}$", "a|b", "^a|b", r"\d+", "(?i)x", "^(?:ab)"])),
        st.builds(pa.Check.str_contains, st.sampled_from(["^[A-Z]", "a|b", "^(?:c)$"])),
        st.builds(pa.Check.str_length, st.integers(0, 3), st.one_of(st.none(), st.integers(3, 9))),
        st.builds(pa.Check.str_startswith, WORDS),
    ),
    "bool": st.builds(pa.Check.eq, st.booleans()),
    "timedelta64[ns]": st.nothing(),
    None: st.builds(pa.Check.isin, st.lists(WORDS, min_size=1)),
    object: st.nothing(),
    pd.CategoricalDtype(["b", "a"], ordered=True): st.nothing(),
    pd.CategoricalDtype(): st.nothing(),
    pd.DatetimeTZDtype("us", "America/New_York"): bounds(TIMES.map(lambda t: pd.Timestamp(t, tz="America/New_York"))),
    "datetime64[ns]": st.one_of(
        bounds(TIMES.map(pd.Timestamp)), st.builds(pa.Check.isin, st.lists(TIMES.map(pd.Timestamp), min_size=1))
    ),
    pd.ArrowDtype(pyarrow.date32()): bounds(st.dates(date(1900, 1, 1), date(2100, 1, 1))),
    pd.ArrowDtype(pyarrow.timestamp("us", "UTC")): st.nothing(),
    pd.ArrowDtype(pyarrow.decimal128(12, 2)): st.nothing(),
}  # fmt: skip
METADATA = st.fixed_dictionaries(
    {},
    optional={
        "unit": WORDS,
        "available": st.sampled_from(["P1D", "PT2H30M"]),
        "personal": st.just(True),
        "drift": st.sampled_from(["critical", "warning", "info", "off"]),
        "term": st.sampled_from(["https://example.com/terms#x", "net price"]),
        "purpose": WORDS,
        "grain": st.one_of(st.integers(), WORDS, st.lists(st.booleans(), max_size=2)),
    },
)


@st.composite
def columns(draw: st.DrawFn) -> pa.Column:
    kind = draw(st.sampled_from(list(KINDS)))
    checks = [] if KINDS[kind].is_empty else draw(st.lists(KINDS[kind], max_size=3))
    arguments = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "nullable": st.booleans(),
                "unique": st.booleans(),
                "required": st.booleans(),
                "title": WORDS,
                "description": WORDS,
                "metadata": METADATA,
            },
        )
    )
    return pa.Column(kind, checks=checks, **arguments)


DURATIONS = st.timedeltas(timedelta(0), timedelta(days=4000))


@st.composite
def contracts(draw: st.DrawFn) -> tg.Contract:
    named = draw(st.dictionaries(NAMES, columns(), min_size=1, max_size=4))
    names = list(named)
    some = st.lists(st.sampled_from(names), unique=True, max_size=3).map(tuple)
    one = st.one_of(st.none(), st.sampled_from(names))
    plainly = [name for name in names if not (named[name].metadata or {}).get("personal")]
    optional: dict[str, Any] = {
        "contact": st.sampled_from(["ops@example.com", "#shop: 'help'"]),
        "reviewed_on": st.dates(),
        "key": some,
        "entity": some,
        "event_time": one,
        "time_zone": st.sampled_from(["UTC", "Europe/Paris"]),
        "features": some,
        "classes": st.sampled_from([(0, 1), ("a", "b"), {0: (0.1, 0.9), 1: (0.1, 0.9)}, {"a": (0, 1)}]),
        "decision_threshold": st.just(0.3),
        "score": one,
        "model_version": one,
        "baseline": one,
        "bias_tolerance": st.floats(0.001, 5),
        "costs": st.just((1, 5)),
        "floors": st.just({"recall": 0.6}),
        "standardised": some,
        "slices": st.lists(st.sampled_from(plainly or names), unique=True, max_size=2 if plainly else 0).map(tuple),
        "cadence": st.timedeltas(timedelta(microseconds=1), timedelta(days=4000)),
        "arrive_within": DURATIONS,
        "freshness": DURATIONS,
        "max_age": DURATIONS,
        "label_delay": DURATIONS,
        "volume": st.sampled_from(["learnt", (0, 9), (7, 7), (100, 10**9)]),
        "rows_min": st.integers(0, 100),
        "tolerance": st.floats(0, 0.99),
        "upstream": st.just((tg.Upstream(name="raw", marker="_SUCCESS"),)),
        "references": st.lists(
            st.builds(lambda name, table: tg.ForeignKey((name,), table), st.sampled_from(names), WORDS.filter(bool)),
            max_size=2,
        ).map(tuple),
        "suppression": st.just(tg.Suppression(column=names[0], file="opted_out.txt")),
        "population": st.just({names[0]: {"a": 0.5, "b": 0.5}}),
        "alarm_budget": st.builds(tg.AlarmBudget, st.integers(2, 99)),
        "severity": st.just({"drift": "info"}),
        "actions": st.just({"critical": "halt"}),
        "keep_sample": st.just(tg.Sample(rows=5, seed=1)),
        "cool_down": DURATIONS,
        "on_monitor_error": st.sampled_from(["halt", "publish"]),
        "shadow": st.booleans(),
    }
    arguments = draw(st.fixed_dictionaries({}, optional=optional))
    schema = pa.DataFrameSchema(
        named,
        strict=draw(st.sampled_from([True, False, "filter"])),
        ordered=draw(st.booleans()),
        unique=draw(st.one_of(st.none(), st.lists(st.sampled_from(names), min_size=1, unique=True))),
        title=draw(st.one_of(st.none(), WORDS)),
        description=draw(st.one_of(st.none(), WORDS)),
    )
    owner = draw(WORDS.filter(str.strip))
    return tg.Contract(name="orders", version="1.2.3", owner=owner, schema=schema, **arguments)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(contract=contracts())
def test_out_and_in_and_out_again_is_the_same_document_and_valid(contract: tg.Contract, load: Load) -> None:
    written = to_odcs(contract)
    assert written.lost == ()
    VALIDATOR.validate(written.document)
    again, lost = through(written.document, load)
    assert lost == ()
    assert json.dumps(to_odcs(again).document) == json.dumps(written.document)


@given(st.timedeltas(timedelta(0), timedelta(days=9_000_000)))
def test_durations_are_exact_in_iso_8601(duration: timedelta) -> None:
    assert parse_duration(iso_duration(duration)) == duration


@given(st.dictionaries(st.text(max_size=6), st.one_of(st.text(max_size=9), NUMBERS, st.integers(), st.booleans())))
@example({"pairs": "x"})
@example({"a": "NO", "b": "1e5", "c": "0o7", "d": "12:30", "e": "2024-01-01", "f": "<<", "g": "\x85\u2028\0"})
def test_text_of_documents_is_read_as_it_was_written(document: dict[str, Any]) -> None:
    safe = plain({"all": document})
    read = text.read(text.write(safe).encode())
    assert read == safe
    assert unpaired(read["all"]) == json.loads(json.dumps(unpaired(safe["all"])))


# ---- what is lost is told


def test_python_in_a_contract_is_told_as_lost_and_described_to_people() -> None:
    schema = pa.DataFrameSchema(
        {
            "x": pa.Column("float64", checks=[pa.Check(lambda s: s > 0, name="is_positive"), pa.Check.ge(0)]),
            "gap": pa.Column("timedelta64[ns]", checks=pa.Check.ge(pd.Timedelta(0))),
        },
        checks=pa.Check(lambda frame: frame["x"] > 0, name="adds_up"),
        index=pa.Index("int64"),
    )
    contract = tg.Contract(name="a", version="1.0.0", owner="b", schema=schema, scope=lambda frame: frame["x"] > 1)
    written = to_odcs(contract)
    VALIDATOR.validate(written.document)
    told = "\n".join(written.lost)
    for word in ("scope", "is_positive", "adds_up", "schema.index", "gap"):
        assert word in told, told
    rules = written.document["schema"][0]["properties"][1]["quality"]  # behind the index
    assert rules == [{"type": "text", "description": "is_positive"}]
    assert "is_positive" not in "".join(to_odcs(from_odcs(written.document).contract()).lost)


def test_what_others_say_and_a_contract_cannot_is_told_by_its_place() -> None:
    document = minimal(
        status="retired",
        tenant="ACME",
        price={"priceAmount": 9.95},
        slaProperties=[{"property": "timeToRepair", "value": 4, "unit": "h"}],
        schema=[
            {
                "name": "orders",
                "tags": ["x"],
                "properties": [
                    {"name": "a", "logicalType": "integer", "physicalType": "numeric(4)", "classification": "public"},
                    {"name": "b", "logicalType": "integer", "physicalType": "numeric(4)",
                     "quality": [{"metric": "nullValues", "mustBeLessThan": 5, "unit": "percent"},
                                 {"type": "sql", "query": "SELECT 1", "mustBe": 1}]},
                ],
            },
            {"name": "second", "properties": []},
        ],
    )  # fmt: skip
    lost = "\n".join(from_odcs(document).lost)
    for words in ("status", "tenant", "price", "timeToRepair", "schema[].tags", "second", "nullValues", "'sql'"):
        assert words in lost, lost
    assert "schema[].properties[].physicalType (2 times)" in lost
    assert "schema[].properties[].classification" in lost


# ---- documents by others


def test_a_document_by_somebody_else_becomes_a_contract(load: Load) -> None:
    document = minimal(
        version="v1.1",
        name="Air Quality",
        team=[{"username": "clint", "role": "Data Scientist"}, {"username": "diana", "role": "Owner"}],
        support=[{"channel": "help", "tool": "email", "url": "mailto:help@example.com"}],
        slaProperties=[
            {"property": "latency", "value": 4, "unit": "d", "element": "air.measured"},
            {"property": "FY", "value": 1, "valueExt": 1, "unit": "d"},
            {"property": "retention", "value": 3, "unit": "y"},
        ],
        schema=[
            {
                "name": "air",
                "properties": [
                    {"name": "second key", "logicalType": "string", "primaryKey": True, "primaryKeyPosition": 2},
                    {"name": "first key", "logicalType": "integer", "primaryKey": True, "primaryKeyPosition": 1},
                    {"name": "measured", "logicalType": "timestamp", "physicalType": "TIMESTAMP", "required": True},
                    {"name": "value", "logicalType": "number", "logicalTypeOptions": {"minimum": 0, "maximum": 500}},
                    {"name": "status", "logicalType": "string", "classification": "PII", "quality": [
                        {"metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": ["ok", "NO", None]}}]},
                    {"name": "note", "physicalType": "VARCHAR(40)", "logicalType": "string",
                     "logicalTypeOptions": {"maxLength": 40, "pattern": "[a-z]"}},
                    {"name": "local", "logicalType": "timestamp", "logicalTypeOptions": {"timezone": False}},
                    {"name": "day", "logicalType": "date", "logicalTypeOptions": {"minimum": "2020-01-01"}},
                    {"name": "opens", "logicalType": "time", "logicalTypeOptions": {"minimum": "08:00:00"}},
                ],
                "quality": [{"metric": "rowCount", "mustBeGreaterThan": 99}],
            }
        ],
    )  # fmt: skip
    VALIDATOR.validate(document)
    contract, lost = through(document, load)
    assert (contract.name, contract.version, contract.owner) == ("air_quality", "1.1.0", "diana")
    assert contract.contact == "help@example.com"
    assert contract.key == ("first key", "second key")
    assert (contract.arrive_within, contract.cadence) == (timedelta(days=4), timedelta(days=1))
    assert contract.max_age == timedelta(days=3 * 366)
    assert contract.event_time == "measured"
    assert contract.rows_min == 100
    types = {name: str(column.type) for name, column in contract.columns.items()}
    assert types["measured"] == "datetime64[us, UTC]"
    assert types["local"] == "datetime64[ns]"
    assert types["day"] == "date32[day][pyarrow]"
    assert contract.columns["status"].personal
    assert not contract.columns["measured"].nullable
    assert any("'Air Quality' became 'air_quality'" in line for line in lost)
    VALIDATOR.validate(to_odcs(contract).document)


@pytest.mark.parametrize("version", ["v3.0.0", "v3.0.1", "v3.0.2", "v3.1.0", "v3.2.0", "v3.9.9"])
def test_every_third_version_of_the_standard_is_read(version: str) -> None:
    assert from_odcs(minimal(apiVersion=version)).contract().name == "orders"


def test_allowed_values_are_read_from_rules_and_from_enum() -> None:
    rule = {"type": "library", "metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": ["a", "b"]}}
    assert checks_of(with_property(logicalType="string", quality=[rule])) == [("isin", {"allowed_values": ["a", "b"]})]
    enum = with_property(logicalType="string", enum=[{"value": "a"}, {"value": "b"}])
    assert checks_of(enum) == [("isin", {"allowed_values": ["a", "b"]})]


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [("^[A-Z]{2}$", "AB", "xAB"), ("b|c", "xxc", "xxx"), ("^(?:b|c)", "cx", "xc"), ("^a|b", "xb", "x")],
)
def test_a_pattern_means_what_it_means_to_the_standard(pattern: str, good: str, bad: str, load: Load) -> None:
    """JSON schema searches; pandera's str_matches is anchored at the beginning."""
    document = with_property(logicalType="string", required=True, logicalTypeOptions={"pattern": pattern})
    contract, _ = through(document, load)
    assert contract.pandera_schema.validate(pd.DataFrame({"x": [good]})) is not None
    with pytest.raises(pa.errors.SchemaError):
        contract.pandera_schema.validate(pd.DataFrame({"x": [bad]}))
    again = to_odcs(contract).document["schema"][0]["properties"][0]["logicalTypeOptions"]["pattern"]
    assert again == pattern


def test_a_table_is_chosen_by_name(load: Load) -> None:
    tables = [
        {"name": "A", "properties": [{"name": "x", "logicalType": "string"}]},
        {"name": "B", "properties": [{"name": "y", "logicalType": "string"}]},
    ]
    draft = from_odcs(minimal(schema=tables), table="B")
    assert draft.contract().name == "b"
    assert list(draft.contract().columns) == ["y"]
    assert from_odcs(minimal(schema=tables), table="B", name="chosen").contract().name == "chosen"
    with pytest.raises(tg.ContractError, match="no such schema object"):
        from_odcs(minimal(schema=tables), table="C")


def test_names_that_look_like_code_stay_names(load: Load, tmp_path: Path) -> None:
    mark = tmp_path / "pwned"
    evil = f"'); open({str(mark)!r}, 'w'); ('\n\"\"\"\nimport os\\"
    document = minimal(
        team={"name": evil},
        schema=[{"name": evil, "description": evil, "properties": [
            {"name": evil, "logicalType": "string", "businessName": evil,
             "customProperties": [{"property": evil, "value": {evil: [evil]}}],
             "quality": [{"metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": [evil]}}]}]}],
    )  # fmt: skip
    contract, _ = through(document, load)
    assert list(contract.columns) == [evil]
    assert contract.owner == evil
    assert contract.columns[evil].metadata == {evil: {evil: [evil]}}
    assert not mark.exists()


# ---- hostile documents


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (minimal(kind="DataProduct"), "kind"),
        (minimal(apiVersion="v2.2.2"), "apiVersion"),
        (minimal(apiVersion=3), "apiVersion"),
        (minimal(version=1.0), "version"),
        (minimal(version="latest"), "version"),
        (minimal(version=None), "version"),
        (minimal(name=["a"]), "name"),
        (minimal(schema={}), "schema"),
        (minimal(schema=[]), "schema"),
        (minimal(schema=["orders"]), "schema[0]"),
        (minimal(schema=[{"name": "a"}]), "properties"),
        (minimal(schema=[{"name": "a", "properties": [{}]}]), "properties[0].name"),
        (minimal(schema=[{"name": "a", "properties": [{"name": "x"}, {"name": "x"}]}]), "twice"),
        (minimal(team={"name": 5}), "team.name"),
        (with_custom("tidegate.tolerance", 5), "tolerance"),
        (with_custom("tidegate.label", "nowhere"), "label"),
        (with_custom("tidegate.cool_down", "soon"), "cool_down"),
        (with_custom("tidegate.upstream", [{"name": "a", "run": "b"}]), "upstream"),
        (with_custom("tidegate.classes", {"pairs": [[[], 1]]}), "pairs"),
        (minimal(customProperties=[{"property": "tidegate.tolerance", "value": 0}] * 2), "twice"),
        (minimal(slaProperties=[{"property": "latency", "value": 10**300, "unit": "d"}]), "slaProperties[0].value"),
        (minimal(slaProperties=[{"property": "latency", "value": -4, "unit": "d"}]), "arrive_within"),
        (with_property(logicalType="text"), "logicalType"),
        (with_property(logicalType="string", required="yes"), "required"),
        (with_property(logicalType="string", logicalTypeOptions={"pattern": "("}), "logicalTypeOptions"),
        (with_property(logicalType="string", logicalTypeOptions={"minLength": -1}), "minLength"),
        (with_property(logicalType="string", logicalTypeOptions={"minLength": 5, "maxLength": 1}), "TypeOptions"),
        (with_property(logicalType="number", logicalTypeOptions={"minimum": "0"}), "minimum"),
        (with_property(logicalType="timestamp", logicalTypeOptions={"minimum": "today"}), "minimum"),
        (with_property(logicalType="timestamp", logicalTypeOptions={"defaultTimezone": "../x"}), "defaultTimezone"),
        (with_property(logicalType="timestamp", physicalType="datetime64[us, Nowhere]"), "physicalType"),
        (with_property(logicalType="string", quality=[{"metric": "invalidValues", "mustBe": 0,
                       "arguments": {"validValues": []}}]), "validValues"),
        (with_property(logicalType="string", quality=[{"type": "custom", "engine": "pandera", "implementation":
                       {"check": "__init__", "arguments": {}}}]), "check"),
        (with_property(logicalType="string", quality=[{"type": "custom", "engine": "pandera", "implementation":
                       {"check": "eq", "arguments": {"value": {}}}}]), "check"),
        (with_property(logicalType="string", customProperties=[custom("tidegate.drift", "x")]), "drift"),
        (with_property(logicalType="string", customProperties=[custom("tidegate.required", 3)]), "required"),
        (with_property(physicalType="category", customProperties=[custom("tidegate.categories", [None])]), "categor"),
        (with_property(physicalType="category", customProperties=[custom("tidegate.categories", [1, 1])]), "categor"),
    ],
)  # fmt: skip
def test_a_document_that_is_wrong_is_refused_by_its_place(document: dict[str, Any], words: str) -> None:
    with pytest.raises(tg.ContractError) as refusal:
        from_odcs(document)
    assert words in str(refusal.value)
    assert refusal.value.found or refusal.value.allowed


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "says nothing"),
        (b"- a\n- b", "says nothing"),
        (b"a: [", "no YAML"),
        (b"a: 1\n---\nb: 2", "no YAML"),
        (b"\xff\xfe", "no text"),
        (b"a: 1\na: 2", "twice"),
        (b"a: &x\n  b: 1\nc:\n  <<: *x", "no text"),
        (b"? [1]\n: 2", "no text"),
        (b"a: !!python/object/apply:os.system ['touch pwned']", "tag"),
        (b"a: !!python/name:os.system", "tag"),
        (b"!!python/object:tidegate.Contract {name: a}", "tag"),
        (b"a: !!timestamp 2024-01-01", "tag"),
        (b"a: .nan", "number"),
        (b"a: -.inf", "number"),
        (b"a: 1e999", "number"),
        (b"a: " + b"9" * 5000, "number"),
        (b"a: " + b"[" * 5000, "deep"),
        (b"a: &a [*a]", "itself"),
        (b"a: " + b"x" * 5_000_000, "large"),
        (b"a:\n" + b"- 1\n" * 500_000, "values"),
    ],
)
def test_text_that_cannot_be_meant_is_refused_quickly(data: bytes, words: str) -> None:
    started = perf_counter()
    with pytest.raises(tg.ContractError, match=words):
        text.read(data)
    assert perf_counter() - started < 5


def test_a_billion_laughs_are_refused_before_they_are_built() -> None:
    lines = ["l0: &l0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    lines += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 30)]
    started = perf_counter()
    with pytest.raises(tg.ContractError, match="aliases"):
        text.read("\n".join(lines).encode())
    ladder = "\n".join(["a0: &a0 [1]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 3000))])
    with pytest.raises(tg.ContractError, match="aliases"):
        text.read(ladder.encode())
    assert perf_counter() - started < 2


def test_a_few_aliases_are_read() -> None:
    assert text.read(b"a: &x {b: 1}\nc: *x\nd: [*x, *x]") == {"a": {"b": 1}, "c": {"b": 1}, "d": [{"b": 1}, {"b": 1}]}


def test_words_are_read_as_people_mean_them() -> None:
    read = text.read(b"a: NO\nb: yes\nc: 12:30\nd: 2024-01-31\ne: true\nf: 1e3\ng: ~\nh: 0777")
    assert read == {
        "a": "NO", "b": "yes", "c": "12:30", "d": "2024-01-31", "e": True, "f": 1000.0, "g": None, "h": "0777",
    }  # fmt: skip


JSON_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), NUMBERS, st.text(max_size=8), st.just("tidegate.label")),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(st.sampled_from(["property", "value", "name", "pairs", "check", "x"]), inner, max_size=3),
    ),
    max_leaves=5,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container of a document with a key of it."""
    found: list[tuple[Any, Any]] = []
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        found.append((value, key))
        found += places(item) if isinstance(item, dict | list) else []
    return found


@settings(max_examples=100)
@given(data=st.data())
def test_a_document_that_is_damaged_is_read_or_refused_but_never_breaks_us(data: st.DataObject, load: Load) -> None:
    rich = minimal(
        support=[{"channel": "a"}],
        slaProperties=[{"property": "latency", "value": 4, "unit": "d", "element": "orders.when"}],
        customProperties=[{"property": "tidegate.classes", "value": {"pairs": [[0, [0, 1]]]}}],
        schema=[{"name": "orders", "quality": [{"metric": "rowCount", "mustBeBetween": [1, 2]}],
                 "relationships": [{"from": "orders.x", "to": "b.x",
                                    "customProperties": [{"property": "tidegate.table", "value": "b.csv"}]}],
                 "properties": [
            {"name": "x", "logicalType": "string", "physicalType": "category", "primaryKey": True,
             "primaryKeyPosition": 1, "customProperties": [{"property": "tidegate.categories", "value": ["a"]}],
             "authoritativeDefinitions": [{"url": "https://a.b", "type": "businessDefinition"}]},
            {"name": "y", "logicalType": "number", "logicalTypeOptions": {"minimum": 0}, "quality": [
                {"metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": [1]}},
                {"type": "custom", "engine": "pandera", "implementation": {"check": "notin", "arguments":
                 {"forbidden_values": [3]}, "name": "drift"}}]},
            {"name": "when", "logicalType": "timestamp", "logicalTypeOptions":
             {"timezone": True, "defaultTimezone": "UTC", "maximum": "2030-01-01"}}]}],
    )  # fmt: skip
    damaged = copy.deepcopy(rich)
    for _ in range(data.draw(st.integers(1, 2))):
        container, key = data.draw(st.sampled_from(places(damaged)))
        container[key] = data.draw(JSON_VALUES)
    try:
        draft = from_odcs(damaged)
    except tg.ContractError:
        return
    contract = load(source_of(draft))
    VALIDATOR.validate(to_odcs(contract).document)


def test_numpy_values_are_written_as_numbers() -> None:
    schema = pa.DataFrameSchema(
        {"x": pa.Column("float64", checks=[pa.Check.ge(np.float64(1)), pa.Check.isin(np.arange(2))])}
    )
    written = to_odcs(tg.Contract(name="a", version="1.0.0", owner="b", schema=schema))
    assert written.lost == ()
    json.dumps(written.document)


def test_values_that_no_document_can_hold_are_told(load: Load) -> None:
    schema = pa.DataFrameSchema(
        {"x": pa.Column("float64", checks=[pa.Check.le(float("inf"))], metadata={"a": object()})}
    )
    written = to_odcs(tg.Contract(name="a", version="1.0.0", owner="b", schema=schema))
    assert len(written.lost) == 2
    text.write(written.document)
