"""Any schema somebody already has: generated schemas and frames in both dialects, held against raw pandera."""

from __future__ import annotations

import contextlib
import warnings
from collections import defaultdict
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pandera.errors
import pandera.pandas as pr
import pandera.polars as pp
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandera.errors import SchemaErrorReason as Reason

import tidegate as tg
from tests.contracts.columns import TOLD, make_batch, make_contract
from tidegate_contracts.check import Checked, check

Broken = dict[tuple[str, str | None], frozenset[int] | None]

VALUES: dict[str, Any] = {
    "number": st.sampled_from([0.0, 1.0, -1.0, 2.5, 99.0, float("inf"), None]),
    "count": st.integers(-2, 4),
    "word": st.sampled_from(["ab", "abc", "b", "", "ab ", None]),
    "kind": st.sampled_from(["x", "y", "z"]),
}
PANDAS_TYPES: dict[str, Any] = {"number": "float64", "count": "int64", "word": "str", "kind": "str"}
POLARS_TYPES: dict[str, Any] = {"number": pl.Float64, "count": pl.Int64, "word": pl.String, "kind": pl.String}


def number_checks(check: Any, kind: type) -> Any:
    """Built-in checks of numbers, in either dialect; polars takes no whole number for a float."""
    bound = st.sampled_from([-1, 0, 1, 2]).map(kind)
    return st.one_of(
        bound.map(lambda low: check.ge(low)),
        bound.map(lambda low: check.gt(low)),
        bound.map(lambda high: check.le(high)),
        bound.map(lambda value: check.ne(value)),
        bound.map(lambda value: check.isin([value, value + 1])),
        bound.map(lambda value: check.notin([value])),
        bound.map(lambda low: check.in_range(low, low + 2, include_max=False)),
    )


def text_checks(check: Any) -> Any:
    """Built-in checks of texts, in either dialect."""
    return st.sampled_from(
        [
            check.isin(["ab", "x", "y"]),
            check.notin(["z", "b"]),
            check.str_matches(r"^[a-y]"),
            check.str_contains("b"),
            check.str_startswith("a"),
            check.str_endswith("b"),
            check.str_length(1, 2),
        ]
    )


@st.composite
def schemas(draw: st.DrawFn, dialect: Any, types: dict[str, Any]) -> Any:
    """A schema of some of the columns, with checks, uniqueness and strictness drawn at random."""
    names = draw(st.lists(st.sampled_from(list(types)), min_size=1, unique=True))
    columns = {}
    for name in names:
        numbers = {"number": float, "count": int}
        checks = number_checks(dialect.Check, numbers[name]) if name in numbers else text_checks(dialect.Check)
        columns[name] = dialect.Column(
            types[name],
            draw(st.lists(checks, max_size=3, unique_by=str)),
            nullable=draw(st.booleans()),
            unique=draw(st.sampled_from([False, False, True])),
        )
    together = draw(st.sampled_from([None, None, names[:2]]))
    return dialect.DataFrameSchema(columns, unique=together, strict=draw(st.booleans()), ordered=draw(st.booleans()))


@st.composite
def frames(draw: st.DrawFn) -> dict[str, list[Any]]:
    """Up to eight rows, their columns in any order."""
    rows = draw(st.integers(0, 8))
    names = draw(st.permutations(list(VALUES)))
    return {name: draw(st.lists(VALUES[name], min_size=rows, max_size=rows)) for name in names}


def pandas_frame(columns: dict[str, list[Any]]) -> pd.DataFrame:
    """The columns with the dtypes that the schemas declare."""
    return pd.DataFrame({name: pd.Series(values, dtype=PANDAS_TYPES[name]) for name, values in columns.items()})


def polars_frame(columns: dict[str, list[Any]]) -> pl.DataFrame:
    """The same for polars."""
    return pl.DataFrame({name: pl.Series(name, values, dtype=POLARS_TYPES[name]) for name, values in columns.items()})


def rule_of(error: Any) -> tuple[str, str | None]:
    """The place of a raw pandera error in our words."""
    of_table = type(error.schema).__name__ == "DataFrameSchema"
    column = None if of_table else error.schema.name
    words = {
        Reason.SERIES_CONTAINS_NULLS: "not nullable",
        Reason.SERIES_CONTAINS_DUPLICATES: "unique",
        Reason.COLUMN_NOT_IN_SCHEMA: "column not declared by the contract",
        Reason.COLUMN_NOT_ORDERED: "column out of the declared order",
        Reason.COLUMN_NOT_IN_DATAFRAME: "missing column",
    }
    if error.reason_code is Reason.DUPLICATES:
        return f"unique({', '.join(error.schema.unique)})", None
    if error.reason_code in words:
        return words[error.reason_code], error.failure_cases if of_table else column
    return error.check.error or error.check.name, column


def by_raw_pandera(schema: Any, frame: Any) -> Broken:
    """The failing rows of each clause as raw pandera reports them; None where it blames the table."""
    try:
        schema.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        found: dict[tuple[str, str | None], set[int] | None] = {}
        for error in errors.schema_errors:
            rows = raw_rows(error, frame)
            before = found.get(rule_of(error), set())
            found[rule_of(error)] = None if rows is None or before is None else rows | before
        return {place: None if rows is None else frozenset(rows) for place, rows in found.items()}
    return {}


def raw_rows(error: Any, frame: Any) -> set[int] | None:
    if isinstance(frame, pl.DataFrame):
        output = error.check_output
        if not isinstance(output, pl.DataFrame):
            return None
        return set(np.flatnonzero(~output["check_output"].to_numpy()).tolist())
    names = {
        Reason.SERIES_CONTAINS_DUPLICATES: [error.schema.name],
        Reason.DUPLICATES: getattr(error.schema, "unique", 0),
    }
    if error.reason_code in names:  # pandera fails equal missing values too, but leaves them out of its failure cases
        return set(np.flatnonzero(frame.duplicated(names[error.reason_code], keep=False).to_numpy()).tolist())
    cases = error.failure_cases
    return {int(row) for row in cases["index"]} if isinstance(cases, pd.DataFrame) and "index" in cases else None


def by_us(checked: Checked) -> Broken:
    """The same from our reasons."""
    found: dict[tuple[str, str | None], set[int | None]] = defaultdict(set)
    for reason in checked.reasons.to_pylist():
        found[
            reason["rule"].partition("(")[0] if "unique(" not in reason["rule"] else reason["rule"], reason["column"]
        ].add(reason["row"])
    return {
        place: None if None in rows else frozenset(row for row in rows if row is not None)
        for place, rows in found.items()
    }


def hold(frame: Any, schema: Any, **arguments: Any) -> Checked:
    """A frame of either kind held against a contract of this schema."""
    contract = make_contract(schema, **{"rows_min": 0, **arguments})
    delivery = frame.to_arrow() if isinstance(frame, pl.DataFrame) else frame
    return check(make_batch(delivery, contract), contract)


def shortened(broken: Broken) -> Broken:
    """Clauses by the name of their check alone; several of one name on one column are one."""
    found: dict[tuple[str, str | None], frozenset[int] | None] = {}
    for (rule, column), rows in broken.items():
        place = (rule if rule.startswith("unique(") else rule.partition("(")[0], column)
        before = found.get(place, frozenset())
        found[place] = None if rows is None or before is None else rows | before
    return found


@given(schema=schemas(pr, PANDAS_TYPES), columns=frames())
@settings(max_examples=40)
def test_a_generated_pandas_schema_fails_the_rows_that_raw_pandera_fails(
    schema: Any, columns: dict[str, list[Any]]
) -> None:
    frame = pandas_frame(columns)
    checked = hold(frame, schema)
    assert by_us(checked) == shortened(by_raw_pandera(schema, frame))


@given(schema=schemas(pp, POLARS_TYPES), columns=frames())
@settings(max_examples=40)
def test_a_generated_polars_schema_fails_the_rows_that_raw_pandera_fails(
    schema: Any, columns: dict[str, list[Any]]
) -> None:
    frame = polars_frame(columns)
    checked = hold(frame, schema)
    assert by_us(checked) == shortened(by_raw_pandera(schema, frame))


@pytest.mark.parametrize("dialect", ["pandas", "polars"])
@given(data=st.data(), columns=frames(), tolerance=st.sampled_from([0.0, 0.2, 0.5, 0.99]))
@settings(max_examples=25)
def test_what_is_published_is_clean_and_no_row_is_lost_or_doubled(
    dialect: str, data: st.DataObject, columns: dict[str, list[Any]], tolerance: float
) -> None:
    schema = data.draw(schemas(pr, PANDAS_TYPES) if dialect == "pandas" else schemas(pp, POLARS_TYPES))
    frame = pandas_frame(columns) if dialect == "pandas" else polars_frame(columns)
    checked = hold(frame, schema, tolerance=tolerance)
    failing = {reason["row"] for reason in checked.reasons.to_pylist()} - {None}
    assert failing == set(np.flatnonzero(checked.failed).tolist())
    assert checked.publishable.num_rows + checked.failed.sum() == len(frame)
    if not checked.critical:
        contract = make_contract(schema, rows_min=0)
        again = check(make_batch(checked.publishable, contract), contract)
        assert (again.failed.any(), again.reasons.num_rows) == (False, 0)
        assert {item.check for item in again.violations} <= TOLD


# the index

INDEXED = pr.DataFrameSchema(
    {"value": pr.Column(float, pr.Check.ge(0))},
    index=pr.Index(int, pr.Check.gt(0), name="id", unique=True),
    strict=True,
    ordered=True,
)
TWO_LEVELS = pr.DataFrameSchema(
    {"value": pr.Column(float)},
    index=pr.MultiIndex(
        [pr.Index(int, pr.Check.gt(0), name="a"), pr.Index(str, pr.Check.isin(["x"]), name="b")], unique=["a", "b"]
    ),
    checks=pr.Check(
        lambda frame: frame.index.get_level_values("a").to_series(index=frame.index) < 9, name="a_below_nine"
    ),
)


def indexed(frame: pd.DataFrame) -> Any:
    """A frame as pandas would write it to a file, its index among the columns."""
    return pa.Table.from_pandas(frame)


def hold_table(table: Any, schema: Any, **arguments: Any) -> Checked:
    contract = make_contract(schema, **arguments)
    return check(make_batch(table, contract), contract)


def test_a_declared_index_is_checked_like_a_column_and_its_rows_are_named() -> None:
    frame = pd.DataFrame({"value": [1.0, 2.0, -3.0, 4.0]}, index=pd.Index([1, 0, 5, 5], name="id"))
    checked = hold_table(indexed(frame), INDEXED)
    assert {(item.rule, item.column, item.failed) for item in checked.violations} == {
        ("greater_than(0)", "id", 1),
        ("unique", "id", 2),
        ("greater_than_or_equal_to(0)", "value", 1),
    }
    assert hold_table(indexed(frame.iloc[[0]]), INDEXED).violations == ()


def test_a_missing_level_of_the_index_is_a_missing_column() -> None:
    checked = hold_table(pa.table({"value": [1.0]}), INDEXED)
    assert {(item.check, item.column) for item in checked.violations} == {("schema_mismatch", "id")}


def test_the_levels_of_an_index_are_checked_one_by_one_and_together_and_table_checks_see_them() -> None:
    levels = pd.MultiIndex.from_arrays([[1, 0, 1, 1, 9], ["x", "x", "y", "y", "x"]], names=["a", "b"])
    checked = hold_table(indexed(pd.DataFrame({"value": [1.0] * 5}, index=levels)), TWO_LEVELS)
    reasons = {(item["rule"], item["column"], item["row"]) for item in checked.reasons.to_pylist()}
    assert reasons == {
        ("greater_than(0)", "a", 1),
        ("isin(['x'])", "b", 2),
        ("isin(['x'])", "b", 3),
        ("unique(a, b)", None, 2),
        ("unique(a, b)", None, 3),
        ("a_below_nine", None, 4),
    }


def test_a_level_without_a_name_is_the_column_in_which_pandas_keeps_it() -> None:
    schema = pr.DataFrameSchema({"value": pr.Column(float)}, index=pr.Index(int, pr.Check.gt(0)), strict=True)
    table = indexed(pd.DataFrame({"value": [1.0, 2.0]}, index=pd.Index([3, 0])))
    assert table.column_names == ["value", "__index_level_0__"]
    (violation,) = hold_table(table, schema).violations
    assert (violation.column, violation.failed) == ("__index_level_0__", 1)


def test_an_index_that_nobody_declared_is_no_column_too_many() -> None:
    schema = pr.DataFrameSchema({"value": pr.Column(float)}, strict=True)
    table = indexed(pd.DataFrame({"value": [1.0, 2.0]}, index=pd.Index([3, 0])))
    assert hold_table(table, schema).violations == ()


def test_a_level_of_the_index_may_be_the_key_and_the_time() -> None:
    schema = pr.DataFrameSchema(
        {"value": pr.Column(float)}, index=pr.Index(pd.DatetimeTZDtype("us", "UTC"), name="at", unique=True)
    )
    contract = make_contract(schema, key=("at",), event_time="at")
    assert list(contract.columns) == ["at", "value"]
    times = pd.to_datetime(["2024-01-01", "2024-01-01"], utc=True).as_unit("us")
    checked = check(
        make_batch(indexed(pd.DataFrame({"value": [1.0, 2.0]}, index=times.rename("at"))), contract), contract
    )
    assert [(item.check, item.failed) for item in checked.violations] == [("duplicate_rows", 2)]


# groups


def heavier(groups: dict[str, pd.Series[float]]) -> bool:
    return bool(groups["m"].mean() > groups["f"].mean())


def test_a_check_of_groups_that_answers_once_blames_the_table_and_says_so() -> None:
    schema = pr.DataFrameSchema({"weight": pr.Column(float, pr.Check(heavier, groupby="sex")), "sex": pr.Column(str)})
    frame = pd.DataFrame({"weight": [1.0, 2.0], "sex": ["m", "f"]})
    (violation,) = hold(frame, schema).violations
    assert (violation.check, violation.rule, violation.failed) == ("broken_invariant", "heavier", None)
    assert "no row can be blamed" in violation.message
    assert hold(frame.assign(weight=[3.0, 2.0]), schema).violations == ()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda groups: groups["f"] < 5 if "f" in groups else True, id="row by row"),
        pytest.param(lambda groups: pd.Series({name: part.max() < 5 for name, part in groups.items()}), id="by group"),
    ],
)
def test_a_check_of_groups_that_answers_for_more_than_the_table_blames_rows(answer: Any) -> None:
    light = pr.Check(answer, groupby="sex", name="light")
    schema = pr.DataFrameSchema({"weight": pr.Column(float, light), "sex": pr.Column(str)})
    frame = pd.DataFrame({"weight": [1.0, 9.0, 2.0, 8.0], "sex": ["m", "f", "m", "f"]})
    checked = hold(frame, schema, tolerance=0.5)
    assert np.flatnonzero(checked.failed).tolist() == [1, 3]
    assert not checked.critical
    assert hold(frame, schema).critical


def test_a_check_that_raises_once_rows_are_set_aside_lets_nothing_be_published() -> None:
    light = pr.Check(lambda groups: groups["f"] < 5, groupby="sex", name="light")
    schema = pr.DataFrameSchema({"weight": pr.Column(float, light), "sex": pr.Column(str)})
    checked = hold(pd.DataFrame({"weight": [1.0, 9.0], "sex": ["m", "f"]}), schema, tolerance=0.5)
    (critical,) = [item for item in checked.violations if item.severity is tg.Severity.CRITICAL]
    assert (critical.check, "raised" in critical.message) == ("broken_invariant", True)


# checks that only warn


@pytest.mark.parametrize("dialect", [pr, pp], ids=["pandas", "polars"])
def test_a_check_that_only_warns_is_told_and_sets_no_row_aside(dialect: Any) -> None:
    schema = dialect.DataFrameSchema(
        {"a": dialect.Column(int, [dialect.Check.gt(1, raise_warning=True), dialect.Check.lt(9)])}
    )
    frame = pd.DataFrame({"a": [1, 2, 3]}) if dialect is pr else pl.DataFrame({"a": [1, 2, 3]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        checked = hold(frame, schema)
    (violation,) = checked.violations
    assert (violation.severity, violation.failed, checked.failed.any()) == (tg.Severity.WARNING, 1, False)
    assert checked.reasons.num_rows == 0
    assert schema.columns["a"].checks[0].raise_warning  # the user's own schema is untouched


# the schema's own coercion


def coercing(dtype: Any, *checks: Any, dialect: Any = pr) -> Any:
    return dialect.DataFrameSchema({"a": dialect.Column(dtype, list(checks), coerce=True)})


def test_coercion_that_keeps_values_is_counted_and_told() -> None:
    checked = hold(pd.DataFrame({"a": ["1", "2", "30"]}), coercing(int, pr.Check.lt(10)), tolerance=0.5)
    assert checked.coerced == {"a": 3}
    told = [item for item in checked.violations if item.check == "schema_mismatch"]
    assert [(item.severity, item.failed) for item in told] == [(tg.Severity.INFO, None)]
    assert "3 values" in told[0].message
    assert np.flatnonzero(checked.failed).tolist() == [2]
    assert checked.publishable.to_pydict() == {"a": [1, 2]}  # what was checked is what is published


@pytest.mark.parametrize(
    ("values", "dtype"),
    [([1.5, 2.0], int), (["no", "yes"], bool), ([1e300, 2.0], "float32")],
    ids=["fractions as whole numbers", "words as booleans", "doubles as singles"],
)
def test_coercion_that_changes_values_is_a_warning_with_their_number(values: list[Any], dtype: Any) -> None:
    with np.errstate(over="ignore"):
        checked = hold(pd.DataFrame({"a": values}), coercing(dtype))
    (told,) = [item for item in checked.violations if item.check == "schema_mismatch"]
    assert told.severity is tg.Severity.WARNING
    assert "not the same after" in told.message


@pytest.mark.parametrize("dialect", [pr, pp], ids=["pandas", "polars"])
def test_cells_that_cannot_be_coerced_are_violations_of_their_rows(dialect: Any) -> None:
    frame = pd.DataFrame({"a": ["1", "x", "3"]}) if dialect is pr else pl.DataFrame({"a": ["1", "x", "3"]})
    checked = hold(frame, coercing(int, dialect=dialect), tolerance=0.5)
    assert np.flatnonzero(checked.failed).tolist() == [1]
    assert checked.publishable.to_pydict() == {"a": [1, 3]}
    with pytest.raises(pandera.errors.SchemaErrors):
        coercing(int, dialect=dialect).validate(frame, lazy=True)


def test_without_coercion_a_column_of_another_type_is_refused_as_a_whole() -> None:
    (violation,) = hold(pd.DataFrame({"a": ["1", "2"]}), pr.DataFrameSchema({"a": pr.Column(int)})).violations
    assert (violation.check, violation.failed) == ("schema_mismatch", None)


# types of polars

POLARS_ARROW = {
    "int8": (pl.Int8, pa.int8()),
    "uint64": (pl.UInt64, pa.uint64()),
    "float32": (pl.Float32, pa.float32()),
    "text": (pl.String, pa.string()),
    "flags": (pl.Boolean, pa.bool_()),
    "dates": (pl.Date, pa.date32()),
    "times": (pl.Datetime("us", "UTC"), pa.timestamp("us", "UTC")),
    "naive times": (pl.Datetime("ms"), pa.timestamp("ms")),
    "durations": (pl.Duration("us"), pa.duration("us")),
    "decimals": (pl.Decimal(10, 2), pa.decimal128(10, 2)),
}


@pytest.mark.parametrize(("native", "arrow"), POLARS_ARROW.values(), ids=POLARS_ARROW.keys())
def test_a_column_of_the_declared_polars_type_fits_and_text_does_not(native: Any, arrow: Any) -> None:
    schema = pp.DataFrameSchema({"a": pp.Column(native, nullable=True)})
    assert make_contract(schema).columns["a"].type.arrow == arrow
    table = pa.table({"a": pa.array([None, None], arrow)})
    assert hold_table(table, schema).violations == ()
    if native is not pl.String:
        (violation,) = hold_table(pa.table({"a": ["?", "!"]}), schema).violations
        assert (violation.check, violation.column) == ("schema_mismatch", "a")


def test_a_narrower_integer_survives_as_the_declared_polars_type() -> None:
    schema = pp.DataFrameSchema({"a": pp.Column(pl.Int64)})
    assert hold_table(pa.table({"a": pa.array([1, 2], pa.int8())}), schema).violations == ()


def test_a_value_outside_the_categories_of_a_polars_enum_is_a_category_change() -> None:
    schema = pp.DataFrameSchema({"a": pp.Column(pl.Enum(["x", "y"]))})
    checked = hold_table(pa.table({"a": ["x", "q"]}), schema, tolerance=0.5)
    assert [(item.check, item.failed) for item in checked.violations] == [("category_change", 1)]


def test_a_polars_model_is_a_contract_with_its_custom_checks_and_its_identity() -> None:
    class Things(pp.DataFrameModel):
        a: int = pp.Field(ge=0, description="how many")
        b: str = pp.Field(nullable=True)

        @pp.check("a")
        def even(cls, data: Any) -> pl.LazyFrame:  # noqa: N805 - pandera makes a class method of it
            return data.lazyframe.select(pl.col(data.key) % 2 == 0)

    contract = make_contract(Things)
    assert contract.columns["a"].description == "how many"
    checked = hold(pl.DataFrame({"a": [2, 3, -2], "b": [None, "x", "y"]}), Things, tolerance=0.7)
    assert {(item["rule"], item["row"]) for item in checked.reasons.to_pylist()} == {
        ("even", 1),
        ("greater_than_or_equal_to(0)", 2),
    }
    assert contract.sha256 == make_contract(Things).sha256


def test_a_dtype_declared_for_the_whole_frame_is_each_columns_type() -> None:
    schema = pr.DataFrameSchema({"a": pr.Column(None), "b": pr.Column(None)}, dtype=float)
    assert hold(pd.DataFrame({"a": [1, 2], "b": [1.5, 2.5]}), schema).violations == ()
    (violation,) = hold(pd.DataFrame({"a": ["x", "y"], "b": [1.5, 2.5]}), schema).violations
    assert (violation.check, violation.column) == ("schema_mismatch", "a")


# a column that came under another name

RENAMED = pr.DataFrameSchema({"distance": pr.Column(float, pr.Check.in_range(0, 100)), "origin": pr.Column(str)})


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ({"dist": [1.0, 2.0], "other": [1.0, -2.0], "origin": ["a", "b"]}, "dist"),
        ({"miles": [1.0, 2.0], "origin": ["a", "b"]}, "miles"),
        ({"miles": [1.0, 2000.0], "origin": ["a", "b"]}, None),
        ({"miles": [1.0, 2.0], "hours": [3.0, 4.0], "origin": ["a", "b"]}, None),
        ({"distance_": ["x", "y"], "origin": ["a", "b"]}, None),
    ],
    ids=["alike", "the only one that fits", "breaks the check", "two that fit", "of another type"],
)
def test_a_missing_column_is_looked_for_under_another_name(columns: dict[str, Any], name: str | None) -> None:
    (violation,) = hold(pd.DataFrame(columns), RENAMED).violations
    assert (violation.check, violation.column, violation.rule) == ("schema_mismatch", "distance", "missing column")
    assert (f"column {name!r} looks like it" in violation.message) is (name is not None)


def test_a_schema_that_filters_publishes_only_what_it_declares() -> None:
    schema = pr.DataFrameSchema({"a": pr.Column(int)}, strict="filter")
    checked = hold(pd.DataFrame({"z": [1, 2], "a": [1, 2]}), schema)
    assert (checked.violations, checked.dropped, checked.as_delivered) == ((), ("z",), False)
    assert checked.publishable.column_names == ["a"]
    assert hold(pd.DataFrame({"a": [1, 2]}), schema).as_delivered


# what reviewers found


def test_a_parser_that_changes_values_is_seen_whether_or_not_other_rows_fail() -> None:
    schema = pr.DataFrameSchema(
        {
            "x": pr.Column(int, pr.Check.ge(0), parsers=pr.Parser(lambda series: series.clip(lower=0))),
            "y": pr.Column(int, pr.Check.ge(0)),
        }
    )
    frame = pd.DataFrame({"x": [-5, 1, 2, 3], "y": [1, 1, 1, 1]})
    for delivered in (frame, frame.assign(y=[1, -1, 1, 1])):
        checked = hold(delivered, schema, tolerance=0.5)
        assert checked.critical
        assert ("schema_mismatch", "x") in {(item.check, item.column) for item in checked.violations}
    assert hold(frame.assign(x=[5, 1, 2, 3]), schema).violations == ()


def test_all_patterns_that_match_a_column_and_its_own_name_hold_it() -> None:
    schema = pr.DataFrameSchema(
        {
            "a_.*": pr.Column(int, pr.Check.ge(0), regex=True),
            ".*_x": pr.Column(int, pr.Check.le(10), regex=True),
            "a_x": pr.Column(int, pr.Check.ne(7)),
        }
    )
    frame = pd.DataFrame({"a_x": [-5, 11, 7, 1]})
    checked = hold(frame, schema, tolerance=0.9)
    assert by_us(checked) == shortened(by_raw_pandera(schema, frame))
    assert np.flatnonzero(checked.failed).tolist() == [0, 1, 2]


def test_a_warning_about_the_whole_hides_no_failure_of_what_is_left() -> None:
    mean = pr.Check(lambda frame: frame["x"].mean() < 5, name="low_mean")
    schema = pr.DataFrameSchema(
        {"x": pr.Column(float, pr.Check.ge(0))},
        checks=[pr.Check(lambda frame: frame["x"].min() >= 0, name="no_debt", raise_warning=True), mean],
    )
    frame = pd.DataFrame({"x": [-100.0, *[10.0] * 9]})
    assert not mean._check_fn(frame[1:])
    assert hold(frame, schema, tolerance=0.5).critical


def test_coercing_beside_a_cell_that_cannot_be_keeps_every_other_value() -> None:
    checked = hold(pd.DataFrame({"a": ["9007199254740993", "abc", "1"]}), coercing("int64"), tolerance=0.5)
    assert checked.publishable.to_pydict() == {"a": [9007199254740993, 1]}


def test_rows_that_nothing_can_be_published_without_are_said_to_be_inseparable() -> None:
    near = pr.Check(lambda series: (series - series.mean()).abs() < 40, name="near")
    schema = pr.DataFrameSchema({"x": pr.Column(float, near)})
    checked = hold(pd.DataFrame({"x": [*[0.0] * 18, 45.0, 400.0]}), schema, tolerance=0.5)
    assert (checked.critical, checked.inseparable) == (True, True)
    assert not hold(pd.DataFrame({"x": [*[0.0] * 19, 400.0]}), schema, tolerance=0.5).inseparable


@pytest.mark.parametrize(
    "index",
    [pd.Index([7, 3, 0], name="id"), pd.Index(["p", "q", "r"], name="id"), pd.Index([1000, 2000, 3000], name="id")],
    ids=["whole numbers", "texts", "beyond the rows"],
)
@pytest.mark.parametrize(
    "check",
    [
        pr.Check(lambda frame: frame >= 0),
        pr.Check(lambda frame: frame["x"] >= 0),
        pr.Check(lambda row: row["x"] >= 0, element_wise=True),
        pr.Check(lambda groups: groups["u"]["x"] >= 0, groupby="g"),
    ],
    ids=["cell by cell", "a column", "row by row", "a group"],
)
def test_checks_of_the_table_blame_the_right_rows_under_any_index(index: Any, check: Any) -> None:
    columns = {"x": pr.Column(float), "g": pr.Column(str)} if check.groupby else {"x": pr.Column(float)}
    schema = pr.DataFrameSchema(columns, index=pr.Index(None, name="id"), checks=check)
    frame = pd.DataFrame({"x": [-1.0, 2.0, 3.0], "g": ["u", "u", "v"]}, index=index)[list(columns)]
    checked = hold_table(indexed(frame), schema, tolerance=0.5)
    assert np.flatnonzero(checked.failed).tolist() == [0]


def test_large_keys_beside_missing_ones_are_not_taken_for_duplicates() -> None:
    schema = pr.DataFrameSchema({"i": pr.Column(pd.Int64Dtype(), nullable=True), "j": pr.Column(int)})
    frame = pd.DataFrame({"i": pd.array([2**53, 2**53 + 1, None], "Int64"), "j": [1, 1, 1]})
    assert hold(frame, schema, key=("i", "j")).violations == ()


def test_a_file_with_most_columns_missing_is_refused_quickly_and_without_guesses() -> None:
    schema = pr.DataFrameSchema({f"n{number}": pr.Column(float, pr.Check.ge(0)) for number in range(60)})
    checked = hold(pd.DataFrame({f"m{number}": [1.0] for number in range(60)}), schema)
    assert len(checked.violations) == 60
    assert not any("looks like" in item.message for item in checked.violations)


ARROW_TYPES = [
    pa.dictionary(pa.int8(), pa.string()),
    pa.string_view(),
    pa.large_string(),
    pa.binary(),
    pa.binary_view(),
    pa.large_binary(),
    pa.binary(4),
    pa.decimal128(6, 2),
    pa.decimal128(20, 2),
    pa.decimal256(40, 2),
    pa.float16(),
    pa.bool_(),
    pa.date32(),
    pa.date64(),
    pa.time32("s"),
    pa.time64("us"),
    pa.timestamp("s"),
    pa.timestamp("ns", "Europe/Paris"),
    pa.duration("us"),
    pa.list_(pa.int64()),
    pa.struct([("a", pa.int64())]),
    pa.map_(pa.string(), pa.int64()),
    pa.null(),
    *(getattr(pa, f"{sign}int{width}")() for sign in ("", "u") for width in (8, 16, 32, 64)),
]


def values_of(kind: Any) -> Any:
    """Three values of a type, one of them missing; all of them missing where none come to mind."""
    days = [date(2024, 1, 1), None, date(2024, 1, 2)]
    for values in (["ab", None, "abc"], days, [b"abcd", None, b"\xff\xfe\x00\x01"], [1, None, 0], [True, None, False]):
        with contextlib.suppress(pa.ArrowException, TypeError, ValueError):
            plain = pa.array(values)
            return plain.dictionary_encode() if pa.types.is_dictionary(kind) else plain.cast(kind)
    return pa.nulls(3, kind)


@pytest.mark.parametrize("kind", ARROW_TYPES, ids=str)
@pytest.mark.parametrize("declared", [True, False], ids=["declared without a type", "undeclared"])
def test_a_column_of_any_type_gets_a_verdict_from_the_gate(kind: Any, declared: bool, tmp_path: Any) -> None:
    columns = {"k": pr.Column(int), **({"a": pr.Column(None, nullable=True)} if declared else {})}
    contract = make_contract(pr.DataFrameSchema(columns))
    table = pa.table({"k": [1, 2, 3], "a": values_of(kind)})
    path = tmp_path / "batch.arrow"
    with pa.ipc.new_file(path, table.schema) as sink:
        sink.write_table(table)
    assert tg.check(path, contract).passed


def test_a_file_cut_at_semicolons_is_told_from_one_that_lacks_columns() -> None:
    contract = make_contract(pr.DataFrameSchema({"a": pr.Column(int), "b": pr.Column(int)}))
    batch = make_batch(pa.table({"a;b": ["1;2"]}), contract, text=True)
    batch = replace(batch, source=replace(batch.source, suffix=".csv"))
    assert all("commas are expected" in item.message for item in check(batch, contract).violations)
