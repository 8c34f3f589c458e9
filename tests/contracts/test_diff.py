"""What a new contract changes: each change under its class, whom it breaks, and the version that tells of it."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pandas as pd
import pandera.errors
import pandera.pandas as pr
import pandera.polars as pl_pr
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import tidegate as tg
from tests.contracts.columns import make_contract
from tests.contracts.test_contract import OTHER_ARGUMENTS
from tidegate_contracts.diff import Change, Diff, diff
from tidegate_contracts.diff.arguments import NO_CHANGE, RULES
from tidegate_contracts.diff.change import Bump, breaking, semantic, tightening, words
from tidegate_contracts.diff.types import changes as type_changes
from tidegate_contracts.diff.version import precedence, raised, tells
from tidegate_contracts.types import declared_type, reconcile

MakeContract = Callable[..., tg.Contract]
Told = tuple[str, str, str]
"""Class, what, and whom it breaks."""

T, L = "tightening", "loosening"
DUAL = {T: L, L: T, "breaking": "breaking", "semantic": "semantic"}


def schema(*, index: Any = None, checks: Any = None, strict: Any = False, **columns: Any) -> Any:
    return pr.DataFrameSchema(columns, index=index, checks=checks, strict=strict)


def one(*checks: Any, dtype: Any = float, **arguments: Any) -> Any:
    return pr.DataFrameSchema({"a": pr.Column(dtype, list(checks), **arguments)})


def compared(old: Any, new: Any, **arguments: Any) -> Diff:
    return diff(make_contract(old), make_contract(new, **arguments))


def told(found: Diff) -> list[Told]:
    return [(change.kind.value, change.what, change.breaks.value) for change in found.changes]


def unequal(series: Any) -> Any:
    return series != 1


def unlike(series: Any) -> Any:
    return series != 2


# columns


def test_a_contract_against_itself_changes_nothing(flights_contract: tg.Contract, contract: tg.Contract) -> None:
    for same in (flights_contract, contract):
        found = diff(same, replace(same))
        assert (found.changes, found.suggested_version, found.passed) == ((), same.version, True)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(schema(a=pr.Column(float)), schema(a=pr.Column(float), b=pr.Column(int)),
                     [("breaking", "column added", "producer")], id="a required column"),
        pytest.param(schema(a=pr.Column(float)), schema(a=pr.Column(float), b=pr.Column(int, required=False)),
                     [(T, "column added", "producer")], id="an optional column"),
        pytest.param(schema(a=pr.Column(float), strict=True),
                     schema(a=pr.Column(float), b=pr.Column(int, required=False), strict=True),
                     [(L, "column added", "consumer")], id="an optional column that was refused"),
        pytest.param(schema(a=pr.Column(float)),
                     schema(a=pr.Column(float), b=pr.Column(int, metadata={"available": "P1D"})),
                     [(T, "column added", "producer")], id="a column that comes later"),
        pytest.param(schema(a=pr.Column(float), b=pr.Column(int)), schema(a=pr.Column(float)),
                     [("breaking", "column removed", "consumer")], id="a column is gone"),
        pytest.param(schema(a=pr.Column(float), b=pr.Column(int), strict=True), schema(a=pr.Column(float), strict=True),
                     [("breaking", "column removed", "both")], id="a column is gone and refused"),
        pytest.param(schema(a=pr.Column(float, description="how far")),
                     schema(b=pr.Column(float, description="how far")),
                     [("breaking", "column renamed", "both")], id="another name"),
        pytest.param(schema(a=pr.Column(float, description="how far")),
                     schema(b=pr.Column(float, description="how long")),
                     [("breaking", "column removed", "consumer"), ("breaking", "column added", "producer")],
                     id="another column instead"),
        pytest.param(schema(**{"x_.*": pr.Column(float, regex=True)}),
                     schema(**{"x_.*": pr.Column(float, regex=True), "y_.*": pr.Column(float, regex=True)}),
                     [("breaking", "pattern of columns added", "producer")], id="a pattern"),
        pytest.param(one(), one(nullable=True), [(L, "nullable", "consumer")], id="nullable"),
        pytest.param(one(), one(unique=True), [(T, "unique", "producer")], id="unique"),
        pytest.param(one(), one(required=False), [(L, "required", "consumer")], id="required"),
        pytest.param(one(), one(coerce=True), [(L, "coerce", "consumer")], id="coerce"),
        pytest.param(one(unique=True), one(unique=True, report_duplicates="exclude_first"),
                     [(L, "report_duplicates", "consumer")], id="the first of equal rows passes"),
        pytest.param(one(description="how far"), one(description="time spent"),
                     [("semantic", "description", "both")], id="description"),
        pytest.param(one(description="how far"), one(description="How far."),
                     [("semantic", "description", "none")], id="the same in another case"),
        pytest.param(one(title="a"), one(title="b"), [("semantic", "title", "none")], id="title"),
        pytest.param(one(metadata={"unit": "mile"}), one(metadata={"unit": "km"}),
                     [("semantic", "unit", "both")], id="unit"),
        pytest.param(one(metadata={"term": "x"}), one(metadata={"term": "y"}),
                     [("semantic", "term", "both")], id="term"),
        pytest.param(one(), one(metadata={"personal": True}), [("semantic", "personal", "consumer")], id="personal"),
        pytest.param(one(metadata={"purpose": "billing"}), one(metadata={"purpose": "anything"}),
                     [("semantic", "purpose", "consumer")], id="purpose"),
        pytest.param(one(metadata={"available": "P1D"}), one(metadata={"available": "P2D"}),
                     [(L, "available", "consumer")], id="known later"),
        pytest.param(one(metadata={"drift": "info"}), one(metadata={"drift": "critical"}),
                     [(T, "drift", "producer")], id="drift matters more"),
        pytest.param(one(metadata={"drift": "info"}), one(metadata={"drift": "off"}),
                     [(L, "drift", "consumer")], id="drift is not looked at"),
        pytest.param(one(), one(metadata={"drift": "warning"}), [("semantic", "drift", "none")], id="drift as it was"),
        pytest.param(one(), one(default=0.0), [("semantic", "default", "both")], id="default"),
        pytest.param(one(), one(parsers=pr.Parser(unequal)), [("semantic", "parsers", "both")], id="parser"),
    ],
)  # fmt: skip
def test_a_change_of_a_column_has_its_class_and_says_whom_it_breaks(old: Any, new: Any, expected: list[Told]) -> None:
    assert told(compared(old, new)) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param([pr.Check.ge(0)], [pr.Check.ge(5)], [(T, "lower bound")], id="raised minimum"),
        pytest.param([pr.Check.ge(0)], [pr.Check.gt(0)], [(T, "lower bound")], id="the bound itself is out"),
        pytest.param([pr.Check.le(9)], [pr.Check.le(10)], [(L, "upper bound")], id="raised maximum"),
        pytest.param([pr.Check.lt(9)], [pr.Check.le(9)], [(L, "upper bound")], id="the bound itself is in"),
        pytest.param([], [pr.Check.ge(0)], [(T, "lower bound")], id="a bound where none was"),
        pytest.param([pr.Check.in_range(0, 9)], [pr.Check.in_range(1, 10)], [(T, "lower bound"), (L, "upper bound")],
                     id="a moved range"),
        pytest.param([pr.Check.in_range(0, 9)], [pr.Check.ge(0), pr.Check.le(9)], [("semantic", "declaration")],
                     id="the same range in other words"),
        pytest.param([pr.Check.ge(0)], [pr.Check.ge(0), pr.Check.ge(-5)], [("semantic", "declaration")],
                     id="a bound that binds nobody"),
        pytest.param([pr.Check.ge(0)], [pr.Check.ge(pd.Timestamp("2024-01-01"))],
                     [(T, "lower bound"), (L, "lower bound")], id="bounds without a common order"),
        pytest.param([pr.Check.isin([1, 2])], [pr.Check.isin([1, 2, 3])], [(L, "allowed values")], id="superset"),
        pytest.param([pr.Check.isin([1, 2])], [pr.Check.isin([2, 3])], [(T, "allowed values"), (L, "allowed values")],
                     id="one goes and one comes"),
        pytest.param([pr.Check.isin([1, 2])], [pr.Check.eq(2)], [(T, "allowed values")], id="only one is left"),
        pytest.param([pr.Check.isin([0, 1])], [pr.Check.isin([1.0, 0.0])], [("semantic", "declaration")],
                     id="equal numbers"),
        pytest.param([pr.Check.notin([1])], [pr.Check.notin([1]), pr.Check.ne(2)], [(T, "forbidden values")],
                     id="one more is forbidden"),
        pytest.param([pr.Check.str_matches("^a")], [pr.Check.str_matches("^b")], [(T, "check"), (L, "check")],
                     id="another pattern"),
        pytest.param([pr.Check.str_startswith("a")], [], [(L, "check")], id="no beginning any more"),
        pytest.param([pr.Check.str_contains("a")], [pr.Check.str_endswith("a")], [(T, "check"), (L, "check")],
                     id="another place"),
        pytest.param([pr.Check.str_length(1, 5)], [pr.Check.str_length(2, 6)],
                     [(T, "least length"), (L, "greatest length")], id="length"),
        pytest.param([pr.Check.str_length(1, 5)], [pr.Check.str_length(exact_value=5)], [(T, "least length")],
                     id="exact length"),
        pytest.param([pr.Check.unique_values_eq([1])], [pr.Check.unique_values_eq([2])], [(T, "check"), (L, "check")],
                     id="other unique values"),
        pytest.param([], [pr.Check(unequal)], [(T, "check")], id="a check of one's own"),
        pytest.param([pr.Check(unequal)], [pr.Check(unlike)], [(T, "check"), (L, "check")], id="another one"),
        pytest.param([pr.Check(unequal, name="fine")], [pr.Check(unlike, name="fine")],
                     [(T, "code of a check"), (L, "code of a check")], id="the same name and other code"),
        pytest.param([pr.Check(unequal, statistics={"x": 1})], [pr.Check(unlike, statistics={"x": 1}, name="unequal")],
                     [(T, "code of a check"), (L, "code of a check")], id="other code beside equal arguments"),
        pytest.param([pr.Check(unequal, error="no")], [pr.Check(unequal, error="never")], [("semantic", "declaration")],
                     id="the same code in other words"),
        pytest.param([pr.Check.ge(0)], [pr.Check.ge(0, ignore_na=False)],
                     [(T, "missing values are held against checks")], id="missing values"),
        pytest.param([pr.Check.ge(0)], [pr.Check.ge(0, raise_warning=True)],
                     [("semantic", "checks that only warn"), (L, "lower bound")], id="only a warning"),
        pytest.param([pr.Check.ge(0)], [pr.Check.ge(0, name="unit_change")], [("semantic", "names of findings")],
                     id="a finding of another name"),
    ],
)  # fmt: skip
def test_checks_are_compared_by_what_they_let_through(
    old: list[Any], new: list[Any], expected: list[tuple[str, str]]
) -> None:
    assert [item[:2] for item in told(compared(one(*old), one(*new)))] == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("int32", "int64", [(L, "type", "consumer")]),
        ("int64", "int32", [(T, "type", "producer")]),
        ("int64", "uint64", [(T, "type", "producer"), (L, "type", "consumer")]),
        ("int64", "Int64", [("semantic", "type", "none")]),
        ("int64", "float64", [("breaking", "type", "consumer")]),
        ("float64", "int64", [("breaking", "type", "producer")]),
        ("float64", "float32", [(T, "type", "producer")]),
        ("float64", str, [("breaking", "type", "both")]),
        ("bool", "int64", [("breaking", "type", "both")]),
        (None, "int64", [(T, "type", "producer")]),
        ("int64", None, [(L, "type", "consumer")]),
        ("datetime64[us]", pd.DatetimeTZDtype("us", "UTC"), [("breaking", "type", "both")]),
        (pd.DatetimeTZDtype("us", "UTC"), pd.DatetimeTZDtype("us", "Europe/Paris"),
         [("semantic", "time zone", "consumer")]),
        (pd.DatetimeTZDtype("us", "UTC"), pd.DatetimeTZDtype("ns", "UTC"),
         [(T, "type", "producer"), (L, "type", "consumer")]),
        (str, "category", [("breaking", "type", "consumer")]),
        (pd.CategoricalDtype(["x", "y"]), pd.CategoricalDtype(["x", "z"]),
         [(T, "categories", "producer"), (L, "categories", "consumer")]),
        (pd.CategoricalDtype(["x", "y"]), pd.CategoricalDtype(), [(L, "categories", "consumer")]),
        (pd.CategoricalDtype(["x", "y"], ordered=True), pd.CategoricalDtype(["y", "x"], ordered=True),
         [("semantic", "order of categories", "consumer")]),
        (pd.CategoricalDtype(["x", "y"]), pd.CategoricalDtype(["x", "y"], ordered=True),
         [("semantic", "ordered categories", "consumer")]),
        (pd.ArrowDtype(pa.decimal128(10, 2)), pd.ArrowDtype(pa.decimal128(12, 2)), [("breaking", "type", "both")]),
        (object, "period[D]", [("breaking", "type", "both")]),
        (None, object, [(T, "type", "producer")]),
        (object, "int64", [("breaking", "type", "both")]),
        (None, pd.ArrowDtype(pa.list_(pa.int64())), [(T, "type", "producer")]),
    ],
)  # fmt: skip
def test_another_type_is_judged_by_the_values_that_it_holds(old: Any, new: Any, expected: list[Told]) -> None:
    assert told(compared(one(dtype=old), one(dtype=new))) == expected


TABLE: dict[str, tuple[dict[str, Any], dict[str, Any], list[tuple[str, str]]]] = {
    "strict": ({}, {"strict": True}, [(T, "strict")]),
    "filter": ({"strict": True}, {"strict": "filter"}, [(L, "strict")]),
    "ordered": ({}, {"ordered": True}, [(T, "ordered")]),
    "coerce": ({}, {"coerce": True}, [(L, "coerce")]),
    "unique": ({}, {"unique": ["a"]}, [(T, "unique")]),
    "unique together": ({"unique": ["a"]}, {"unique": ["a", "b"]}, [(L, "unique")]),
    "unique otherwise": ({"unique": ["a"]}, {"unique": ["b"]}, [(T, "unique"), (L, "unique")]),
    "a check of the table": ({}, {"checks": pr.Check(unequal)}, [(T, "check")]),
    "description": ({"description": "rides"}, {"description": "fares"}, [("semantic", "description")]),
    "title": ({}, {"title": "rides"}, [("semantic", "title")]),
    "metadata": ({}, {"metadata": {"x": 1}}, [("semantic", "metadata")]),
    "parsers": ({}, {"parsers": pr.Parser(unequal)}, [("semantic", "parsers")]),
    "an index": ({}, {"index": pr.Index(int, name="i")}, [("breaking", "column added")]),
    "its range": ({"index": pr.Index(int)}, {"index": pr.Index(int, pr.Check.ge(0))}, [(T, "lower bound")]),
}


@pytest.mark.parametrize(("old", "new", "expected"), TABLE.values(), ids=TABLE.keys())
def test_what_a_schema_says_of_the_table_is_compared_too(
    old: dict[str, Any], new: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    columns = {"a": pr.Column(float), "b": pr.Column(float)}
    schemas = (pr.DataFrameSchema(columns, **arguments) for arguments in (old, new))
    assert [item[:2] for item in told(compared(*schemas))] == expected


def test_the_order_of_columns_breaks_only_where_it_was_promised() -> None:
    there = {"a": pr.Column(float), "b": pr.Column(int)}
    back = dict(reversed(there.items()))
    found = compared(pr.DataFrameSchema(there, ordered=True), pr.DataFrameSchema(back, ordered=True))
    assert told(found) == [("breaking", "order of columns", "both")]
    assert told(compared(pr.DataFrameSchema(there), pr.DataFrameSchema(back))) == [
        ("semantic", "order of columns", "none")
    ]


def test_a_polars_schema_is_compared_with_a_pandas_schema_by_what_its_types_hold() -> None:
    polars = pl_pr.DataFrameSchema({"a": pl_pr.Column(pl.Int64, pl_pr.Check.ge(5))})
    found = told(compared(one(pr.Check.ge(0), dtype="int32"), polars))
    assert found == [
        ("semantic", "dialect of pandera", "consumer"),
        (T, "lower bound", "producer"),
        (L, "type", "consumer"),
    ]


def test_an_argument_that_follows_a_renamed_column_is_no_change_of_its_own() -> None:
    old = make_contract(schema(a=pr.Column(str, unique=True), b=pr.Column(float)), key=("a",), slices=("a",))
    new = make_contract(schema(id=pr.Column(str, unique=True), b=pr.Column(float)), key=("id",), slices=("id",))
    change = breaking("column renamed", "a", "id", "id")
    assert diff(old, new).changes == (change,)
    assert compared(one(), schema(b=pr.Column(float), c=pr.Column(float))).changes[0].what == "column removed"


# arguments


@pytest.mark.parametrize("argument", sorted(OTHER_ARGUMENTS.keys() - {"name", "version"}))
def test_every_argument_that_changes_is_told_in_both_directions(make_contract: MakeContract, argument: str) -> None:
    usual, other = make_contract(), make_contract(**{argument: OTHER_ARGUMENTS[argument]})
    for found, back in ((diff(usual, other), diff(other, usual)), (diff(other, usual), diff(usual, other))):
        assert found.changes
        assert all(change.what.partition("[")[0] == argument for change in found.changes)
        if argument != "key":
            assert Counter(change.kind for change in found.changes) == Counter(
                DUAL[change.kind] for change in back.changes
            )


def test_every_argument_of_a_contract_has_its_rule() -> None:
    """Whoever adds an argument says here what its change means."""
    assert RULES.keys() | set(NO_CHANGE) == {item.name for item in fields(tg.Contract)}


@pytest.mark.parametrize(
    ("argument", "old", "new", "expected"),
    [
        ("owner", "shop", "warehouse", [("semantic", "owner", "none")]),
        ("time_zone", None, "Europe/Paris", [("semantic", "time_zone", "both")]),
        ("key", ("order_id",), ("order_id", "country"), [("breaking", "key", "both")]),
        ("key", (), ("order_id",), [(T, "key", "producer")]),
        ("key", ("order_id",), (), [("breaking", "key", "consumer")]),
        ("tolerance", 0.02, 0.01, [(T, "tolerance", "producer")]),
        ("rows_min", 1, 0, [(L, "rows_min", "consumer")]),
        ("freshness", None, timedelta(days=1), [(T, "freshness", "producer")]),
        ("on_monitor_error", "halt", "publish", [(L, "on_monitor_error", "consumer")]),
        ("shadow", True, False, [(T, "shadow", "producer")]),
        ("cool_down", timedelta(days=1), None, [(T, "cool_down", "producer")]),
        ("alarm_budget", tg.AlarmBudget(20), tg.AlarmBudget(50), [(L, "alarm_budget", "consumer")]),
        ("volume", (10, 20), (12, 30), [(T, "volume", "producer"), (L, "volume", "consumer")]),
        ("volume", None, "learnt", [(T, "volume", "producer")]),
        ("classes", (0, 1), (0, 1, 2), [(L, "classes", "consumer")]),
        ("classes", (0, 1), {0: (0, 1), 1: (0.1, 0.3)}, [(T, "classes[1]", "producer")]),
        ("floors", {"recall": 0.6}, {"recall": 0.7}, [(T, "floors['recall']", "producer")]),
        ("floors", {"brier": 0.2}, {"brier": 0.3}, [(L, "floors['brier']", "consumer")]),
        ("floors", {}, {"recall": 0.6, "brier": 0.2},
         [(T, "floors['brier']", "producer"), (T, "floors['recall']", "producer")]),
        ("slices", ("country",), (), [(L, "slices", "consumer")]),
        ("severity", {"volume": "info"}, {"volume": "critical"}, [(T, "severity['volume']", "producer")]),
        ("severity", {}, {"volume": "info"}, [(L, "severity['volume']", "consumer")]),
        ("severity", {}, {"drift": "warning"},
         [(T, "severity['drift']", "producer"), (L, "severity['drift']", "consumer")]),
        ("population", {"country": {"DE": 0.5, "FR": 0.5}}, {"country": {"DE": 0.6, "FR": 0.4}},
         [("semantic", "population['country']", "both")]),
        ("scope", unequal, unlike, [(T, "scope", "producer"), (L, "scope", "consumer")]),
        ("upstream", (tg.Upstream("a", "_OK"),), (), [(L, "upstream", "consumer")]),
        ("score", None, "amount", [("semantic", "score", "both")]),
        ("model_version", None, "note", [("semantic", "model_version", "both")]),
        ("baseline", "amount", None, [("semantic", "baseline", "both")]),
        ("bias_tolerance", 0.02, 0.01, [(T, "bias_tolerance", "producer")]),
        ("decision_threshold", 0.5, 0.4, [("semantic", "decision_threshold", "consumer")]),
    ],
)  # fmt: skip
def test_a_change_of_an_argument_has_its_class_and_says_whom_it_breaks(
    make_contract: MakeContract, argument: str, old: Any, new: Any, expected: list[Told]
) -> None:
    assert told(diff(make_contract(**{argument: old}), make_contract(**{argument: new}))) == expected


def test_two_datasets_are_no_two_versions(make_contract: MakeContract) -> None:
    with pytest.raises(tg.UsageError, match="different datasets"):
        diff(make_contract(), make_contract(name="refunds"))


# versions

BREAKING, MEANING = breaking("column removed", "float64"), semantic("unit", "mile", "km")
NARROW, WORDS = tightening("lower bound", ">= 0", ">= 5"), words("owner", "a", "b")


@pytest.mark.parametrize(
    ("old", "changes", "suggested"),
    [
        ("1.4.2", (), "1.4.2"),
        ("1.4.2", (WORDS,), "1.4.3"),
        ("1.4.2", (WORDS, NARROW), "1.5.0"),
        ("1.4.2", (MEANING,), "1.5.0"),
        ("1.4.2", (MEANING, BREAKING), "2.0.0"),
        ("0.4.2", (BREAKING,), "0.5.0"),
        ("0.4.2", (MEANING,), "0.4.3"),
        ("2.0.0-rc.1", (WORDS,), "2.0.1"),
    ],
)
def test_the_suggested_version_is_the_least_that_tells_of_all(
    old: str, changes: tuple[Change, ...], suggested: str
) -> None:
    assert Diff(old, old, changes).suggested_version == suggested


@pytest.mark.parametrize(
    ("old", "new", "change", "passed"),
    [
        ("1.0.0", "1.0.0", BREAKING, False),
        ("1.0.0", "1.9.0", BREAKING, False),
        ("1.0.0", "2.0.0", BREAKING, True),
        ("1.0.0", "2.0.0-rc.1", BREAKING, True),
        ("0.1.0", "0.2.0", BREAKING, True),
        ("0.1.0", "0.1.1", BREAKING, False),
        ("1.0.0", "1.0.0", MEANING, False),
        ("1.0.0", "1.0.0+again", MEANING, False),
        ("1.0.0", "0.9.0", MEANING, False),
        ("1.0.0", "1.0.1", MEANING, True),
        ("1.0.0", "1.0.0", NARROW, True),
        ("1.0.0", "1.0.0", WORDS, False),
    ],
)
def test_a_version_must_tell_of_what_breaks_and_of_what_means_another_thing(
    old: str, new: str, change: Change, passed: bool
) -> None:
    assert Diff(old, new, (change,)).passed is passed


@given(st.tuples(*[st.integers(0, 30)] * 3), st.sampled_from(["", "-rc.1", "-a", "+b"]), st.sampled_from(list(Bump)))
def test_a_raised_version_is_higher_and_tells(parts: tuple[int, int, int], suffix: str, bump: Bump) -> None:
    version = ".".join(map(str, parts)) + suffix
    assert precedence(raised(version, bump)) > precedence(version)
    assert tells(version, raised(version, bump), bump)


# properties over small schemas

SMALL = st.integers(-2, 2)
NUMBER_CHECKS = st.one_of(
    st.sampled_from([pr.Check.ge, pr.Check.gt, pr.Check.le, pr.Check.lt, pr.Check.eq, pr.Check.ne]).flatmap(
        lambda kind: SMALL.map(kind)
    ),
    st.tuples(SMALL, SMALL, st.booleans()).map(
        lambda t: pr.Check.in_range(
            min(t[:2]), max(t[:2]), include_min=t[2] or t[0] == t[1], include_max=t[2] or t[0] == t[1]
        )
    ),
    st.sets(SMALL, min_size=1).map(pr.Check.isin),
    st.sets(SMALL, min_size=1).map(pr.Check.notin),
    SMALL.map(lambda least: pr.Check.ge(least, ignore_na=False)),
    st.sampled_from([pr.Check(unequal), pr.Check(unlike)]),
)
TEXT_CHECKS = st.one_of(
    st.sampled_from([pr.Check.str_matches("^x"), pr.Check.str_contains("y"), pr.Check.str_startswith("x")]),
    st.sets(st.sampled_from(["", "x", "xy", "yyy"]), min_size=1).map(pr.Check.isin),
    st.tuples(st.integers(0, 2), st.integers(2, 3)).map(lambda t: pr.Check.str_length(*t)),
)
TYPES = {"a": float, "b": str, "c": float}


def _few(frame: pd.DataFrame) -> bool:
    return len(frame) < 3


def columns(name: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "checks": st.lists(TEXT_CHECKS if name == "b" else NUMBER_CHECKS, max_size=2),
            **dict.fromkeys(("nullable", "unique", "required", "coerce"), st.booleans()),
        }
    )


WHOLE = {
    "strict": st.sampled_from([False, True, "filter"]),
    "ordered": st.booleans(),
    "unique": st.sampled_from([None, ["a"], ["a", "b"]]),
    "checks": st.sampled_from([None, pr.Check(_few)]),
}
SPECS = st.fixed_dictionaries({**{name: st.none() | columns(name) for name in ("b", "c")}, "a": columns("a"), **WHOLE})


@st.composite
def pairs(draw: st.DrawFn, most: int = 2) -> tuple[Any, Any]:
    """Two schemas that differ in few parts."""
    old = draw(SPECS)
    new = dict(old)
    for part in draw(st.sets(st.sampled_from(sorted(old)), min_size=1, max_size=most)):
        if part in TYPES and old[part] is not None:
            fresh = draw(columns(part))
            kept = draw(st.sets(st.sampled_from(sorted(fresh)), min_size=1, max_size=1))
            new[part] = old[part] | {name: fresh[name] for name in kept}
        else:
            new[part] = draw(columns(part) if part in TYPES else WHOLE[part])
    return build(old), build(new)


def build(spec: dict[str, Any]) -> Any:
    declared = {name: pr.Column(kind, **spec[name]) for name, kind in TYPES.items() if spec[name] is not None}
    unique = spec["unique"]
    whole = {name: spec[name] for name in WHOLE} | {
        "unique": unique if unique is None or set(unique) <= declared.keys() else None
    }
    return pr.DataFrameSchema(declared, **whole)


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """A small frame, mostly with the declared columns."""
    rows = draw(st.integers(0, 3))
    numbers = st.lists(st.none() | SMALL, min_size=rows, max_size=rows)
    texts = st.lists(st.sampled_from(["", "x", "xy", "yyy", None]), min_size=rows, max_size=rows)
    names = draw(st.sampled_from([["a", "b", "c"], ["a", "b"], ["a"], ["c", "b", "a"], ["a", "b", "c", "z"]]))
    return pd.DataFrame(
        {
            name: pd.Series(draw(texts), dtype="str") if name == "b" else pd.Series(draw(numbers), dtype="float64")
            for name in names
        }
    )


def accepts(schema: Any, frame: pd.DataFrame) -> bool:
    try:
        schema.validate(frame)
    except (pandera.errors.SchemaErrors, pandera.errors.SchemaError):
        return False
    return True


def kinds(found: Diff) -> set[str]:
    return {change.kind.value for change in found.changes}


@settings(max_examples=30)  # pandera takes its time
@given(pairs(most=1), st.lists(frames(), min_size=3, max_size=3))
def test_what_only_tightens_accepts_nothing_new_and_what_only_loosens_refuses_nothing_more(
    schemas: tuple[Any, Any], tables: list[pd.DataFrame]
) -> None:
    old, new = schemas
    found = kinds(compared(old, new))
    assume("breaking" not in found and not {T, L} <= found)
    for table in tables:
        if L not in found and accepts(new, table):
            assert accepts(old, table)
        if T not in found and accepts(old, table):
            assert accepts(new, table)


@settings(max_examples=30)  # pandera takes its time
@given(pairs())
def test_the_way_back_loosens_what_the_way_there_tightened(schemas: tuple[Any, Any]) -> None:
    there, back = (compared(*pair).changes for pair in (schemas, schemas[::-1]))

    def counted(changes: tuple[Change, ...], dual: dict[str, str]) -> Counter[Any]:
        moved = ("column added", "column removed", "column renamed")
        return Counter(
            (change.column, change.what, dual[change.kind]) for change in changes if change.what not in moved
        )

    assert counted(there, DUAL) == counted(back, {kind: kind for kind in DUAL})
    added = {change.column for change in there if change.what == "column added"}
    assert added == {change.column for change in back if change.what == "column removed"}


@settings(max_examples=30)  # pandera takes its time
@given(pairs())
def test_another_contract_is_never_told_as_the_same(schemas: tuple[Any, Any]) -> None:
    old, new = map(make_contract, schemas)
    found = diff(old, new)
    assert bool(found.changes) is (old.sha256 != new.sha256)
    assert diff(old, old).changes == ()
    assert precedence(found.suggested_version) >= precedence(old.version)


ARROW = st.sampled_from(
    [
        pa.array([1, 0], pa.int8()), pa.array([-1, 200], pa.int16()), pa.array([2**40], pa.int64()),
        pa.array([2**63], pa.uint64()), pa.array([0.5]), pa.array([0.1]), pa.array([1.0, None], pa.float32()),
        pa.array([1], pa.timestamp("s")), pa.array([1], pa.timestamp("ns")), pa.array([10**13], pa.timestamp("ms")),
        pa.array([1], pa.timestamp("us", "UTC")), pa.array([True]), pa.array(["x"]),
    ]
)  # fmt: skip
DTYPES = st.sampled_from(
    ["int8", "int16", "int32", "int64", "uint8", "uint64", "Int32", "float32", "float64", "bool", None]
    + [f"datetime64[{unit}]" for unit in ("s", "ms", "us", "ns")]
)


@given(DTYPES, DTYPES, ARROW)
def test_a_type_that_only_tightens_takes_no_values_that_the_old_one_did_not(old: Any, new: Any, values: Any) -> None:
    declared = [declared_type(pr.Column(dtype).dtype) for dtype in (old, new)]
    found = {change.kind.value for change in type_changes(*declared, "a")}
    assume("breaking" not in found)
    before, after = (reconcile(pa.chunked_array([values]), item).mismatch is None for item in declared)
    assert before or not after or L in found
    assert after or not before or T in found


def test_a_diff_is_strict_json_whatever_the_contracts_hold() -> None:
    import json

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandera has its own opinion of such sets
        new = one(pr.Check.isin([float("nan"), 1.0]), pr.Check.le(float("inf")), description="\ud800", default=None)
    text = json.dumps(compared(one(), new).to_dict(), allow_nan=False, ensure_ascii=False).encode()
    assert json.loads(text)["changes"]
