"""A batch against its contract: what raw pandera says, row by row, and what we make of it."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pandera.errors
import pandera.pandas as pr
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pandera.errors import SchemaErrorReason

import tidegate as tg
from tests.contracts.columns import TOLD, make_batch, make_contract
from tidegate_contracts.catalogue import CATALOGUE
from tidegate_contracts.check import Checked, check
from tidegate_contracts.violation import Violation

Broken = dict[tuple[str, str | None], set[int] | None]
WHOLE_NUMBERS = {"a": pr.Column(int, pr.Check.ge(0))}


def hold(delivery: Any, schema: Any, *, text: bool = False, **arguments: Any) -> Checked:
    """A frame or table held against a contract of this schema."""
    contract = make_contract(schema, **arguments)
    return check(make_batch(delivery, contract, text=text), contract)


def only(checked: Checked) -> Violation:
    """The one violation there is."""
    (violation,) = checked.violations
    return violation


def one_column(*checks: Any) -> Any:
    """A schema of one column of whole numbers."""
    return pr.DataFrameSchema({"a": pr.Column(int, list(checks))})


def failing(checked: Checked) -> list[int]:
    """The positions of the failing rows."""
    return np.flatnonzero(checked.failed).tolist()


# the same rows as raw pandera

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "number": st.sampled_from([0.0, 1.0, -1.0, 2.5, 99.0, float("inf"), float("nan"), None]),
            "count": st.integers(-2, 4),
            "flag": st.booleans(),
            "word": st.sampled_from(["ab", "abc", "b", "", "ab ", None]),
            "kind": st.sampled_from(["x", "y", "z"]),
            "moment": st.sampled_from([0, 1_000_000, -1, None]),
        }
    ),
    max_size=8,
)
DTYPES: dict[str, Any] = {
    "number": "float64",
    "count": "int64",
    "flag": "bool",
    "word": "str",
    "kind": "str",
    "moment": "datetime64[us, UTC]",
}


def frame_of(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """The rows with the dtypes that the schemas below declare."""
    columns = {name: [row[name] for row in rows] for name in DTYPES}
    columns["moment"] = [
        None if value is None else pd.Timestamp(value, unit="us", tz="UTC") for value in columns["moment"]
    ]
    series = {name: pd.Series(values, dtype="object").astype(DTYPES[name]) for name, values in columns.items()}
    return pd.DataFrame(series, index=pd.RangeIndex(len(rows)))


def _number_above_count(frame: pd.DataFrame) -> Any:
    return frame["number"] > frame["count"]


def _positive(series: pd.Series[Any]) -> Any:
    return series > 0


def _mostly_true(series: pd.Series[Any]) -> bool:
    return bool(series.mean() > 0.5) if len(series) else True


def _word_of_its_kind(row: pd.Series[Any]) -> bool:
    return bool(row["kind"] == "x" or row["count"] > 0)


SCHEMAS = {
    "ranges": pr.DataFrameSchema(
        {
            "number": pr.Column(float, [pr.Check.ge(0), pr.Check.lt(50)]),
            "count": pr.Column(int, pr.Check.in_range(0, 3)),
            "moment": pr.Column(pd.DatetimeTZDtype("us", "UTC"), pr.Check.ge(pd.Timestamp(0, tz="UTC"))),
        }
    ),
    "nullable": pr.DataFrameSchema(
        {
            "number": pr.Column(float, [pr.Check.ge(0), pr.Check.isin([0.0, 1.0, 99.0])], nullable=True),
            "word": pr.Column(str, pr.Check.str_length(2, 3), nullable=True),
            "moment": pr.Column(pd.DatetimeTZDtype("us", "UTC"), nullable=True),
        }
    ),
    "missing counts as failing": pr.DataFrameSchema(
        {
            "number": pr.Column(float, pr.Check.ge(0, ignore_na=False), nullable=True),
            "word": pr.Column(str, pr.Check.str_matches("^a", ignore_na=False), nullable=True),
        }
    ),
    "text": pr.DataFrameSchema(
        {
            "word": pr.Column(str, [pr.Check.str_matches(r"^ab"), pr.Check.str_endswith("b")]),
            "kind": pr.Column(str, [pr.Check.isin(["x", "y"]), pr.Check.notin(["y"])]),
            "flag": pr.Column(bool, pr.Check.eq(True)),
        }
    ),
    "unique": pr.DataFrameSchema(
        {"count": pr.Column(int, unique=True), "kind": pr.Column(str, unique=True, report_duplicates="exclude_first")}
    ),
    "unique together": pr.DataFrameSchema(
        {"count": pr.Column(int), "kind": pr.Column(str), "word": pr.Column(str, nullable=True)},
        unique=["kind", "count", "word"],
    ),
    "the whole table": pr.DataFrameSchema(
        {"number": pr.Column(float, nullable=True), "count": pr.Column(int), "kind": pr.Column(str)},
        checks=[
            pr.Check(_number_above_count, name="number_above_count"),
            pr.Check(_word_of_its_kind, element_wise=True),
            pr.Check(lambda frame: len(frame) < 6, name="few_rows"),
        ],
    ),
    "custom": pr.DataFrameSchema(
        {
            "number": pr.Column(
                float, [pr.Check(_positive), pr.Check.le(50, error="never above fifty")], nullable=True
            ),
            "count": pr.Column(int, pr.Check(lambda value: value != 1, element_wise=True)),
            "flag": pr.Column(bool, pr.Check(_mostly_true)),
        }
    ),
    "columns by pattern": pr.DataFrameSchema(
        {"^(number|count)$": pr.Column(None, [pr.Check.ge(0), pr.Check.ne(99)], regex=True), "kind": pr.Column(str)}
    ),
    "order and no more": pr.DataFrameSchema(
        {"word": pr.Column(str, nullable=True), "number": pr.Column(float, nullable=True)}, strict=True, ordered=True
    ),
}


def by_pandera(schema: Any, frame: pd.DataFrame) -> Broken:
    """What raw pandera reports: for each clause and column the failing rows, None where it names none."""
    try:
        schema.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        found: Broken = {}
        for error in errors.schema_errors:
            place = _place(error)
            cases = error.failure_cases
            named = isinstance(cases, pd.DataFrame) and not cases["index"].isna().all()
            rows = {int(row) for row in cases["index"].dropna()} if named else None
            before = found.get(place, set())
            found[place] = None if rows is None or before is None else rows | before
        return found
    return {}


def _place(error: Any) -> tuple[str, str | None]:
    is_table = isinstance(error.schema, pr.DataFrameSchema)
    column = None if is_table else error.column_name
    named = {
        SchemaErrorReason.SERIES_CONTAINS_NULLS: "not nullable",
        SchemaErrorReason.SERIES_CONTAINS_DUPLICATES: "unique",
        SchemaErrorReason.DUPLICATES: "unique(kind, count, word)",
        SchemaErrorReason.COLUMN_NOT_IN_SCHEMA: "column not declared by the contract",
        SchemaErrorReason.COLUMN_NOT_ORDERED: "column out of the declared order",
    }
    if error.reason_code in named:
        return named[error.reason_code], error.failure_cases if is_table and isinstance(
            error.failure_cases, str
        ) else column
    arguments = ", ".join(f"{name}={value!r}" for name, value in (error.check.statistics or {}).items())
    return error.check.error or (f"{error.check.name}({arguments})" if arguments else error.check.name), column


def by_us(checked: Checked) -> Broken:
    """What our reasons say, in the same shape."""
    found: dict[tuple[str, str | None], set[int | None]] = defaultdict(set)
    for reason in checked.reasons.to_pylist():
        found[reason["rule"], reason["column"]].add(reason["row"])
    return {place: None if None in rows else {row for row in rows if row is not None} for place, rows in found.items()}


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS.keys())
@given(rows=ROWS)
@settings(max_examples=30)
def test_the_failing_rows_of_each_clause_are_those_that_raw_pandera_reports(
    schema: Any, rows: list[dict[str, Any]]
) -> None:
    frame = frame_of(rows)
    checked = hold(frame, schema, rows_min=0)
    expected = by_pandera(schema, frame)
    assert by_us(checked) == expected
    assert set(failing(checked)) == set().union(*(rows or set() for rows in expected.values()))


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS.keys())
@given(rows=ROWS)
@settings(max_examples=15)
def test_violations_and_reasons_and_failing_rows_tell_the_same(schema: Any, rows: list[dict[str, Any]]) -> None:
    checked = hold(frame_of(rows), schema, rows_min=0)
    reasons = checked.reasons.to_pylist()
    assert checked.rows == len(rows) == len(checked.failed)
    assert {reason["row"] for reason in reasons} - {None} == set(failing(checked))
    assert len({(reason["row"], reason["rule"], reason["column"]) for reason in reasons}) == len(reasons)
    told = Counter((reason["check"], reason["rule"], reason["column"]) for reason in reasons)
    said = {(item.check, item.rule, item.column): item.failed or 1 for item in checked.violations}
    assert told == {place: count for place, count in said.items() if place in told or place[0] not in TOLD}
    assert {item.check for item in checked.violations} <= CATALOGUE.keys()
    positions = [reason["row"] for reason in reasons if reason["row"] is not None]
    assert positions == sorted(positions)


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS.keys())
@given(rows=ROWS)
@settings(max_examples=15)
def test_what_is_left_after_setting_rows_aside_has_no_finding(schema: Any, rows: list[dict[str, Any]]) -> None:
    frame = frame_of(rows)
    checked = hold(frame, schema, rows_min=0, tolerance=0.999)
    if not checked.critical:
        rest = hold(frame[~checked.failed].reset_index(drop=True), schema, rows_min=0)
        assert {item.check for item in rest.violations} <= TOLD
        assert failing(rest) == []
        assert by_pandera(schema, frame[~checked.failed].reset_index(drop=True)) == {}


# tolerance


@given(st.integers(1, 120), st.integers(0, 120), st.integers(0, 119))
@example(100, 29, 29)
@example(50, 1, 1)
@example(50, 2, 1)
@settings(max_examples=40)
def test_a_batch_is_critical_exactly_when_more_rows_fail_than_are_tolerated(rows: int, bad: int, allowed: int) -> None:
    bad, allowed = min(bad, rows), min(allowed, rows - 1)
    frame = pd.DataFrame({"a": [-1] * bad + [1] * (rows - bad)})
    checked = hold(frame, pr.DataFrameSchema(WHOLE_NUMBERS), tolerance=allowed / rows)
    assert checked.critical is (bad > allowed)
    assert failing(checked) == list(range(bad))


def test_rows_within_the_tolerance_are_a_warning_and_above_it_critical() -> None:
    frame = pd.DataFrame({"a": [1, -2, 3, 4]})
    schema = pr.DataFrameSchema(WHOLE_NUMBERS)
    within, above = hold(frame, schema, tolerance=0.25), hold(frame, schema, tolerance=0.2)
    assert (only(within).severity, within.critical) == (tg.Severity.WARNING, False)
    assert (only(above).severity, above.critical) == (tg.Severity.CRITICAL, True)
    assert only(above).failed == 1
    assert "1 of 4 rows (25.00%)" in only(above).message


def test_a_row_that_breaks_two_clauses_counts_once_against_the_tolerance_and_has_both_reasons() -> None:
    schema = pr.DataFrameSchema({"a": pr.Column(int, [pr.Check.ge(0), pr.Check.ne(-2)]), "b": pr.Column(float)})
    checked = hold(pd.DataFrame({"a": [1, -2, 3, 4], "b": [1.0, None, 1.0, 1.0]}), schema, tolerance=0.25)
    assert not checked.critical
    assert [(reason["row"], reason["column"]) for reason in checked.reasons.to_pylist()] == [
        (1, "a"),
        (1, "a"),
        (1, "b"),
    ]
    assert len({reason["rule"] for reason in checked.reasons.to_pylist()}) == 3


def test_a_table_check_that_breaks_once_rows_are_set_aside_is_critical() -> None:
    schema = pr.DataFrameSchema(WHOLE_NUMBERS, checks=pr.Check(lambda frame: len(frame) > 2, name="enough"))
    checked = hold(pd.DataFrame({"a": [1, -2, 3]}), schema, tolerance=0.5)
    assert checked.critical
    (critical,) = [item for item in checked.violations if item.severity is tg.Severity.CRITICAL]
    assert (critical.check, critical.rule) == ("broken_invariant", "enough")
    assert "after setting rows aside" in critical.message


def test_too_few_rows_left_after_setting_rows_aside_is_critical() -> None:
    frame = pd.DataFrame({"a": [1, -2, 3]})
    schema = pr.DataFrameSchema(WHOLE_NUMBERS)
    assert not hold(frame, schema, tolerance=0.5, rows_min=2).critical
    checked = hold(frame, schema, tolerance=0.5, rows_min=3)
    assert checked.critical
    assert [item.check for item in checked.violations] == ["impossible_values", "volume"]


# structure

STRICT = pr.DataFrameSchema(
    {"a": pr.Column(int), "b": pr.Column(float), "c": pr.Column(str)}, strict=True, ordered=True
)
GOOD = pd.DataFrame({"a": [1, 2], "b": [1.5, 2.5], "c": ["x", "y"]})


@pytest.mark.parametrize(
    ("change", "columns"),
    [
        pytest.param(lambda frame: frame[["a", "c"]], {"b"}, id="missing"),
        pytest.param(lambda frame: frame.assign(z=1), {"z"}, id="extra"),
        pytest.param(lambda frame: frame.assign(b=["p", "q"]), {"b"}, id="retyped"),
        pytest.param(lambda frame: frame.assign(a=[1.5, 2.0]), {"a"}, id="fractions for whole numbers"),
        pytest.param(lambda frame: frame[["a", "c", "b"]], {"b", "c"}, id="reordered"),
        pytest.param(lambda frame: frame.rename(columns={"b": "B"}), {"b", "B"}, id="renamed"),
        pytest.param(lambda frame: frame.assign(b=["p", "q"], c=[1, 2]), {"b", "c"}, id="two retyped"),
    ],
)
@pytest.mark.parametrize("rows", [0, 2])
def test_structural_breakage_is_critical_on_the_right_column_whatever_the_tolerance(
    change: Callable[[pd.DataFrame], pd.DataFrame], columns: set[str], rows: int
) -> None:
    assert hold(GOOD, STRICT).violations == ()
    delivered = pa.Table.from_pandas(change(GOOD), preserve_index=False).slice(0, rows)  # types even without rows
    checked = hold(delivered, STRICT, tolerance=0.99, rows_min=0)
    assert {item.column for item in checked.violations} == columns
    assert {item.check for item in checked.violations} == {"schema_mismatch"}
    assert {item.severity for item in checked.violations} == {tg.Severity.CRITICAL}
    assert {item.failed for item in checked.violations} == {None}
    assert failing(checked) == []


def test_a_column_without_a_declared_type_may_be_of_any() -> None:
    assert hold(GOOD.assign(b=["p", "q"]), pr.DataFrameSchema({"b": pr.Column()})).violations == ()


@pytest.mark.parametrize(
    ("delivery", "label"),
    [
        pytest.param(pd.DataFrame({"a": [1]}), None, id="missing column"),
        pytest.param(pd.DataFrame({"a": [1], "b": ["x"]}), None, id="retyped column"),
    ],
)
def test_a_table_check_that_reads_a_broken_column_leaves_the_breakage_to_be_told(
    delivery: pd.DataFrame, label: str | None
) -> None:
    schema = pr.DataFrameSchema(
        {"a": pr.Column(int), "b": pr.Column(float)},
        checks=pr.Check(lambda frame: frame["a"] < frame["b"], name="a_below_b"),
    )
    checked = hold(delivery, schema)
    assert checked.critical
    assert ("schema_mismatch", "b") in {(item.check, item.column) for item in checked.violations}


def test_a_table_check_that_reads_the_label_waits_for_the_label() -> None:
    schema = pr.DataFrameSchema(
        {"a": pr.Column(int), "b": pr.Column(float)},
        checks=pr.Check(lambda frame: frame["a"] < frame["b"], name="a_below_b"),
    )
    assert hold(pd.DataFrame({"a": [1]}), schema, label="b").violations == ()


def test_a_schema_that_drops_invalid_rows_by_itself_drops_none_behind_our_back() -> None:
    schema = pr.DataFrameSchema(WHOLE_NUMBERS, drop_invalid_rows=True)
    assert failing(hold(pd.DataFrame({"a": [1, -2]}), schema, tolerance=0.5)) == [1]


def test_a_column_that_drops_invalid_rows_by_itself_drops_none_behind_our_back() -> None:
    schema = pr.DataFrameSchema({"a": pr.Column(int, pr.Check.ge(0), drop_invalid_rows=True)})
    assert failing(hold(pd.DataFrame({"a": [1, -2]}), schema, tolerance=0.5)) == [1]


UNIQUE_TOGETHER = pr.DataFrameSchema({"a": pr.Column(int), "b": pr.Column(int)}, unique=["a", "b"])


def test_rows_are_no_duplicates_while_a_column_that_tells_them_apart_is_still_to_come() -> None:
    for frame in (pd.DataFrame({"a": [1, 1]}), pd.DataFrame({"a": [1, 1], "b": [1, 2]})):
        assert hold(frame, UNIQUE_TOGETHER, label="b").violations == ()


@pytest.mark.parametrize(
    "frame", [pd.DataFrame({"a": [1, 1]}), pd.DataFrame({"a": [1, 1], "b": ["x", "y"]})], ids=["missing", "retyped"]
)
def test_rows_are_no_duplicates_for_want_of_a_broken_column_that_tells_them_apart(frame: pd.DataFrame) -> None:
    checked = hold(frame, UNIQUE_TOGETHER)
    assert checked.critical
    assert {(item.check, item.column) for item in checked.violations} == {("schema_mismatch", "b")}


@pytest.mark.parametrize(
    "schema",
    [pr.DataFrameSchema({"^x": pr.Column(int, regex=True)}), pr.DataFrameSchema({"x1": pr.Column()}, dtype=int)],
    ids=["declared by a pattern", "declared for the table"],
)
def test_a_wrong_type_is_told_without_the_values_that_are_of_it(schema: Any) -> None:
    checked = hold(pa.table({"x1": pa.array([123_456_789, None])}), schema)
    assert checked.critical
    for item in checked.violations:
        assert "\n" not in item.rule + item.message
        assert "123456789" not in item.rule + item.message


# the names of what is wrong


@pytest.mark.parametrize(
    ("column", "values", "name", "rule"),
    [
        pytest.param(pr.Column(float), [1.0, None], "missing_values", "not nullable", id="missing"),
        pytest.param(pr.Column(int, unique=True), [1, 1], "duplicate_rows", "unique", id="duplicates"),
        pytest.param(pr.Column(str, pr.Check.isin(["x"])), ["x", "y"], "category_change", "isin(['x'])", id="category"),
        pytest.param(
            pr.Column(int, pr.Check.ge(0)), [1, -1], "impossible_values", "greater_than_or_equal_to(0)", id="range"
        ),
        pytest.param(
            pr.Column(str, pr.Check.str_matches("^x")),
            ["x", "y"],
            "impossible_values",
            "str_matches('^x')",
            id="pattern",
        ),
        pytest.param(
            pr.Column(int, pr.Check(lambda series: series > 0, name="positive")),
            [1, -1],
            "impossible_values",
            "positive",
            id="custom",
        ),
        pytest.param(
            pr.Column(int, pr.Check(lambda series: series > 0, name="out_of_scope")),
            [1, -1],
            "out_of_scope",
            "out_of_scope",
            id="custom with a catalogue name",
        ),
        pytest.param(
            pr.Column(str, pr.Check(lambda series: series == "x", name="out_of_scope", error="only x is ours")),
            ["x", "y"],
            "out_of_scope",
            "only x is ours",
            id="custom with a catalogue name and words of its own",
        ),
    ],
)
def test_a_broken_column_clause_has_the_catalogues_name(column: Any, values: list[Any], name: str, rule: str) -> None:
    violation = only(hold(pd.DataFrame({"a": values}), pr.DataFrameSchema({"a": column})))
    assert (violation.check, violation.column) == (name, "a")
    assert violation.rule == rule


def test_a_broken_table_clause_is_a_broken_invariant_unless_it_has_a_catalogue_name() -> None:
    frame = pd.DataFrame({"a": [1, -1]})
    for given_name, name in (("a_is_positive", "broken_invariant"), ("broken_reference", "broken_reference")):
        schema = pr.DataFrameSchema({"a": pr.Column(int)}, checks=pr.Check(lambda rows: rows["a"] > 0, name=given_name))
        checked = hold(frame, schema)
        assert (only(checked).check, only(checked).column, only(checked).rule) == (name, None, given_name)
        assert failing(checked) == [1]


def test_duplicates_over_several_columns_blame_the_table() -> None:
    schema = pr.DataFrameSchema({"a": pr.Column(int), "b": pr.Column(int)}, unique=["a", "b"])
    checked = hold(pd.DataFrame({"a": [1, 1, 1], "b": [1, 1, 2]}), schema)
    assert (only(checked).check, only(checked).rule, only(checked).column) == ("duplicate_rows", "unique(a, b)", None)
    assert failing(checked) == [0, 1]


def test_every_failing_row_is_named_where_raw_pandera_would_show_a_few() -> None:
    """Raw pandera differs here: ``n_failure_cases`` cuts its failure cases."""
    schema = pr.DataFrameSchema({"a": pr.Column(int, pr.Check.ge(5, n_failure_cases=1))})
    assert failing(hold(pd.DataFrame({"a": [1, 7, 3]}), schema)) == [0, 2]


def test_columns_that_are_missing_or_too_many_are_told_as_such() -> None:
    schema = pr.DataFrameSchema({"a": pr.Column(int), "b": pr.Column(int)}, strict=True)
    checked = hold(pd.DataFrame({"a": [1], "z": [1]}), schema)
    assert {item.column: item.rule for item in checked.violations} == {
        "b": "missing column",
        "z": "column not declared by the contract",
    }


def test_two_checks_of_one_name_blame_the_rows_of_both() -> None:
    checks = [pr.Check(lambda series: series > 0, name="fine"), pr.Check(lambda series: series < 9, name="fine")]
    checked = hold(pd.DataFrame({"a": [-1, 5, 10]}), one_column(*checks))
    assert only(checked).failed == 2
    assert failing(checked) == [0, 2]


@pytest.mark.parametrize("turn", [1, -1])
def test_a_check_of_the_whole_column_is_not_lost_beside_one_of_rows_with_the_same_name(turn: int) -> None:
    checks = [
        pr.Check(lambda series: bool(series.sum() > 0), name="fine"),
        pr.Check(lambda series: series > 0, name="fine"),
    ]
    checked = hold(pd.DataFrame({"a": [1, -2, -200]}), one_column(*checks[::turn]), tolerance=0.9)
    assert checked.critical


def test_declared_categories_are_told_without_the_values_that_broke_them() -> None:
    schema = pr.DataFrameSchema({"a": pr.Column(pd.CategoricalDtype(["x", "y"]))})
    checked = hold(pd.DataFrame({"a": ["x", "top-secret", "y"]}), schema)
    assert checked.critical
    assert "a" in {item.column for item in checked.violations}
    for item in checked.violations:
        assert "top-secret" not in item.rule + item.message
        assert "\n" not in item.rule + item.message


# what pandera is not asked, and what it must not say


@pytest.mark.parametrize(
    "column",
    [
        pr.Column(int, pr.Check(lambda series: 1 / len(series.iloc[:0]))),
        pr.Column(int, pr.Check(lambda value: 1 / (value - 1) > 0, element_wise=True)),
        pr.Column(int, pr.Check(lambda series: series["no such"])),
    ],
    ids=["whole column", "one value", "wrong key"],
)
def test_a_check_that_raises_is_our_failure_and_no_violation(column: Any) -> None:
    with pytest.raises(tg.MonitorError, match="things") as caught:
        hold(pd.DataFrame({"a": [1, 2]}), pr.DataFrameSchema({"a": column}), tolerance=0.99)
    assert "on a" in str(caught.value.found)
    assert caught.value.hint is not None


def test_what_a_check_raised_is_told_without_the_values_it_met() -> None:
    def choke(series: pd.Series[Any]) -> bool:
        raise ValueError(f"cannot take {series.iloc[0]}")

    with pytest.raises(tg.MonitorError) as caught:
        hold(pd.DataFrame({"a": [987_654_321]}), one_column(pr.Check(choke)))
    assert "ValueError" in str(caught.value)
    assert "987654321" not in str(caught.value)


def test_a_table_check_that_raises_is_our_failure() -> None:
    schema = pr.DataFrameSchema({"a": pr.Column(int)}, checks=pr.Check(lambda frame: frame["typo"] > 0, name="oops"))
    with pytest.raises(tg.MonitorError, match="oops on the table"):
        hold(pd.DataFrame({"a": [1]}), schema)


def test_a_parser_of_the_schema_that_raises_is_our_failure_too() -> None:
    schema = pr.DataFrameSchema({"a": pr.Column(int)}, parsers=pr.Parser(lambda frame: frame / 0 / "x"))
    with pytest.raises(tg.MonitorError):
        hold(pd.DataFrame({"a": [1]}), schema)


def test_the_key_identifies_one_row_even_where_pandera_is_not_told() -> None:
    schema = pr.DataFrameSchema({"a": pr.Column(int), "b": pr.Column(str)})
    frame = pd.DataFrame({"a": [1, 1, 1, 2], "b": ["x", "x", "y", "x"]})
    alone = hold(frame, schema, key=("a",))
    assert (only(alone).check, only(alone).column, failing(alone)) == ("duplicate_rows", "a", [0, 1, 2])
    together = hold(frame, schema, key=("b", "a"))
    assert (only(together).check, only(together).column, failing(together)) == ("duplicate_rows", None, [0, 1])
    assert "b, a" in only(together).rule


@pytest.mark.parametrize(
    ("schema", "key"),
    [
        (pr.DataFrameSchema({"a": pr.Column(int, unique=True), "b": pr.Column(str)}), ("a",)),
        (pr.DataFrameSchema({"a": pr.Column(int), "b": pr.Column(str)}, unique=["a", "b"]), ("b", "a")),
    ],
    ids=["one column", "two columns"],
)
def test_duplicates_of_a_key_that_pandera_checks_as_well_are_told_once(schema: Any, key: tuple[str, ...]) -> None:
    checked = hold(pd.DataFrame({"a": [1, 1], "b": ["x", "x"]}), schema, key=key)
    assert only(checked).check == "duplicate_rows"
    assert checked.reasons.num_rows == 2


def test_two_missing_values_in_a_unique_column_are_rows_and_not_the_table() -> None:
    schema = pr.DataFrameSchema({"a": pr.Column(float, unique=True, nullable=True)})
    checked = hold(pd.DataFrame({"a": [1.0, None, None, 2.0]}), schema, tolerance=0.5)
    assert only(checked).check == "duplicate_rows"
    assert failing(checked) == [1, 2]
    assert not checked.critical


def test_the_label_and_what_is_available_later_are_not_required() -> None:
    schema = pr.DataFrameSchema(
        {
            "a": pr.Column(int),
            "truth": pr.Column(float, pr.Check.isin([0, 1])),
            "refund": pr.Column(float, pr.Check.ge(0), metadata={"available": "P30D"}),
            "now": pr.Column(float, metadata={"available": "PT0S"}),
        },
        strict=True,
        ordered=True,
    )
    frame = pd.DataFrame({"a": [1], "now": [1.0]})
    assert hold(frame, schema, label="truth").violations == ()
    assert {item.column for item in hold(frame, schema).violations} == {"truth"}
    assert {item.column for item in hold(frame[["a"]], schema, label="truth").violations} == {"now"}
    early = pd.DataFrame({"a": [1], "truth": [7.0], "refund": [-1.0], "now": [1.0]})
    assert hold(early, schema, label="truth").violations == ()


@pytest.mark.parametrize(
    ("rows", "least", "critical"), [(0, 1, True), (0, 0, False), (2, 3, True), (3, 3, False), (4, 3, False)]
)
def test_too_few_rows_are_critical_and_none_are_allowed_only_when_said(rows: int, least: int, critical: bool) -> None:
    checked = hold(
        pd.DataFrame({"a": np.arange(rows)}), pr.DataFrameSchema(WHOLE_NUMBERS), rows_min=least, tolerance=0.9
    )
    assert checked.critical is critical
    assert [item.check for item in checked.violations] == (["volume"] if critical else [])
    assert checked.reasons.to_pylist() == [
        {"row": None, "key": None, "check": "volume", "rule": item.rule, "column": None} for item in checked.violations
    ]


@pytest.mark.parametrize("word", ["info", "warning"])
def test_the_contract_may_make_a_check_less_than_critical(word: str) -> None:
    frame = pd.DataFrame({"a": [1, -2], "b": [1.0, 1.0]})
    schema = pr.DataFrameSchema({**WHOLE_NUMBERS, "b": pr.Column(float, pr.Check.lt(1))})
    checked = hold(frame[["a"]], pr.DataFrameSchema(WHOLE_NUMBERS), severity={"impossible_values": word})
    assert only(checked).severity == word
    assert not checked.critical
    assert failing(checked) == [1]
    both = hold(frame, schema, severity={"impossible_values": "critical", "volume": word})
    assert {item.severity for item in both.violations} == {tg.Severity.CRITICAL}


def test_only_critical_clauses_count_against_the_tolerance() -> None:
    schema = pr.DataFrameSchema({**WHOLE_NUMBERS, "b": pr.Column(float)})
    frame = pd.DataFrame({"a": [-1, -2, -3, 1], "b": [1.0, 1.0, None, 1.0]})
    checked = hold(frame, schema, severity={"impossible_values": "info"}, tolerance=0.25)
    assert not checked.critical
    assert failing(checked) == [0, 1, 2]
    assert hold(frame, schema, severity={"impossible_values": "info"}, tolerance=0.2).critical


@pytest.mark.parametrize("odd", [{"z": [1, 1, 1]}, {"b": ["p", "q", "r"]}], ids=["an extra column", "a retyped column"])
def test_a_failing_row_does_not_change_how_much_broken_structure_matters(odd: dict[str, list[Any]]) -> None:
    schema = pr.DataFrameSchema({**WHOLE_NUMBERS, "b": pr.Column(float)}, strict=True)
    arguments: dict[str, Any] = {"severity": {"schema_mismatch": "warning"}, "tolerance": 0.5}
    clean = pd.DataFrame({"a": [1, 2, 3], "b": [1.0, 1.0, 1.0]} | odd)
    dirty = clean.assign(a=[1, -2, 3])
    assert hold(dirty, schema, **arguments).critical is hold(clean, schema, **arguments).critical


# text that does not parse


def test_cells_that_do_not_parse_are_a_mismatch_of_their_rows() -> None:
    table = pa.table({"a": ["1", "1.5", "", "-4"]})
    checked = hold(table, pr.DataFrameSchema({"a": pr.Column(int, pr.Check.ge(0), nullable=True)}), text=True)
    assert [(item.check, item.rule, item.failed) for item in checked.violations] == [
        ("schema_mismatch", "text that is no int64", 1),
        ("impossible_values", "greater_than_or_equal_to(0)", 1),
    ]
    assert failing(checked) == [1, 3]
    assert not hold(table, pr.DataFrameSchema({"a": pr.Column(int, nullable=True)}), text=True, tolerance=0.25).critical


def test_a_cell_that_does_not_parse_is_never_a_missing_value() -> None:
    checked = hold(pa.table({"a": ["1", "x", ""]}), pr.DataFrameSchema({"a": pr.Column(int)}), text=True)
    rows = {(reason["row"], reason["check"]) for reason in checked.reasons.to_pylist()}
    assert rows == {(1, "schema_mismatch"), (2, "missing_values")}


def test_two_cells_that_do_not_parse_are_no_duplicates_of_each_other() -> None:
    for schema, key in (
        (pr.DataFrameSchema({"a": pr.Column(int, unique=True, nullable=True)}), ()),
        (pr.DataFrameSchema({"a": pr.Column(int, nullable=True)}), ("a",)),
    ):
        checked = hold(pa.table({"a": ["1", "x", "y", "2"]}), schema, text=True, key=key, tolerance=0.5)
        assert [item.check for item in checked.violations] == ["schema_mismatch"]
        assert failing(checked) == [1, 2]


@pytest.mark.parametrize("together", [{"unique": ["a", "b"]}, {}], ids=["unique together", "key"])
def test_rows_that_differ_in_cells_that_do_not_parse_are_no_duplicates(together: dict[str, Any]) -> None:
    schema = pr.DataFrameSchema({"a": pr.Column(int), "b": pr.Column(int, nullable=True)}, **together)
    table = pa.table({"a": ["1", "1", "1"], "b": ["x", "y", "3"]})
    checked = hold(table, schema, text=True, tolerance=0.9, key=() if together else ("a", "b"))
    assert [item.check for item in checked.violations] == ["schema_mismatch"]


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        pytest.param(int, pa.array([1, None, -3], pa.int32()), id="integer"),
        pytest.param(int, pa.array([2**60, None, -3]), id="large integer"),
        pytest.param("int8", pa.array([1, None, -3], pa.int64()), id="narrow integer"),
        pytest.param("Int64", pa.array([1, None, -3]), id="masked integer"),
        pytest.param(float, pa.array([1.0, None, -3.0], pa.float32()), id="float"),
    ],
)
def test_a_missing_whole_number_is_missing_and_no_mismatch_of_type(dtype: Any, values: Any) -> None:
    """Raw pandera differs here: a numpy integer cannot be missing, so it would blame the column's type."""
    table = pa.table({"a": values})
    strict = hold(table, pr.DataFrameSchema({"a": pr.Column(dtype, pr.Check.ge(0))}))
    assert by_us(strict) == {("not nullable", "a"): {1}, ("greater_than_or_equal_to(0)", "a"): {2}}
    lenient = hold(table, pr.DataFrameSchema({"a": pr.Column(dtype, pr.Check.ge(0), nullable=True)}))
    assert by_us(lenient) == {("greater_than_or_equal_to(0)", "a"): {2}}


def test_nan_is_a_missing_number() -> None:
    table = pa.table({"a": pa.array([1.0, float("nan"), None])})
    assert failing(hold(table, pr.DataFrameSchema({"a": pr.Column(float)}))) == [1, 2]


# who is named


def test_failing_rows_are_named_by_their_key() -> None:
    schema = pr.DataFrameSchema({**WHOLE_NUMBERS, "k": pr.Column(str), "d": pr.Column(int)})
    frame = pd.DataFrame({"a": [1, *[-1] * 7], "k": list("pqrstuvw"), "d": range(8)})
    checked = hold(frame, schema, key=("k", "d"))
    assert only(checked).examples == ('["q", 1]', '["r", 2]', '["s", 3]', '["t", 4]', '["u", 5]')
    assert [reason["key"] for reason in checked.reasons.to_pylist()] == [
        f'["{letter}", {number}]' for number, letter in enumerate("qrstuvw", 1)
    ]


def test_a_key_in_any_script_is_shown_as_it_is() -> None:
    schema = pr.DataFrameSchema({**WHOLE_NUMBERS, "k": pr.Column(str)})
    checked = hold(pd.DataFrame({"a": [-1], "k": ["Zürich 東京"]}), schema, key=("k",))
    assert only(checked).examples == ('["Zürich 東京"]',)


def test_keys_are_hashed_where_a_key_column_is_personal() -> None:
    schema = pr.DataFrameSchema({**WHOLE_NUMBERS, "k": pr.Column(str, metadata={"personal": True})})
    frame = pd.DataFrame({"a": [1, -1], "k": ["anna@example.com", "bert@example.com"]})
    checked = hold(frame, schema, key=("k",))
    digest = hashlib.sha256(b'["bert@example.com"]').hexdigest()
    assert only(checked).examples == (digest,)
    assert checked.reasons.column("key").to_pylist() == [digest]
    assert "example.com" not in str(checked)


def test_rows_without_a_declared_key_are_named_by_position_only() -> None:
    checked = hold(pd.DataFrame({"a": [1, -1]}), pr.DataFrameSchema(WHOLE_NUMBERS))
    assert only(checked).examples == ()
    assert checked.reasons.to_pylist() == [
        {
            "row": 1,
            "key": None,
            "check": "impossible_values",
            "rule": "greater_than_or_equal_to(0)",
            "column": "a",
        }
    ]


def test_a_key_that_python_cannot_hold_is_no_exception() -> None:
    schema = pr.DataFrameSchema({**WHOLE_NUMBERS, "t": pr.Column(pd.DatetimeTZDtype("us", "UTC"))})
    year_20000 = pa.array([569_000_000_000_000_000, 0], pa.timestamp("us", "UTC"))
    assert failing(hold(pa.table({"a": [-1, 1], "t": year_20000}), schema, key=("t",))) == [0]


def test_a_violation_survives_its_json() -> None:
    violation = only(hold(pd.DataFrame({"a": [1, -1]}), pr.DataFrameSchema(WHOLE_NUMBERS), key=("a",)))
    assert Violation.from_dict(violation.to_dict()) == violation


def test_a_day_of_orders_that_keeps_the_contract_has_no_finding(
    contract: tg.Contract, make_orders: Callable[..., pd.DataFrame]
) -> None:
    checked = check(make_batch(make_orders(), contract), contract)
    assert checked.violations == ()
    assert checked.reasons.num_rows == 0
    assert not checked.failed.any()
    spoiled = make_orders().assign(score=2.0)
    spoiled["note"] = None
    again = check(make_batch(spoiled, contract), contract)
    assert {(item.check, item.column, item.failed) for item in again.violations} == {
        ("impossible_values", "score", 200)
    }


def test_the_batch_itself_is_left_as_it_was(contract: tg.Contract, make_orders: Callable[..., pd.DataFrame]) -> None:
    batch = make_batch(make_orders().assign(items=0), contract)
    before = replace(batch)
    check(batch, contract)
    assert batch.table.equals(before.table)
    assert batch.delivered.equals(before.delivered)


def test_columns_declared_by_a_pattern_are_parsed_and_checked_like_others() -> None:
    schema = pr.DataFrameSchema({"^x_": pr.Column(int, pr.Check.ge(0), regex=True)}, strict=True)
    table = pa.table({"x_1": ["1", "-2", "3"], "x_2": ["4", "5", "six"]})
    checked = hold(table, schema, text=True)
    assert by_us(checked) == {("greater_than_or_equal_to(0)", "x_1"): {1}, ("text that is no int64", "x_2"): {2}}
    narrow = pa.table({"x_1": pa.array([1, -2], pa.int8())})
    assert by_us(hold(narrow, schema)) == {("greater_than_or_equal_to(0)", "x_1"): {1}}
    assert hold(pa.table({"y": [1]}), schema).critical


@pytest.mark.parametrize(
    ("schema", "frame"),
    [
        pytest.param(
            pr.DataFrameSchema({"a": pr.Column(str, unique=True, parsers=pr.Parser(lambda s: s.str.lower()))}),
            pd.DataFrame({"a": ["x", "X", "y"]}),
            id="equal only after a parser",
        ),
        pytest.param(
            pr.DataFrameSchema({"a": pr.Column(float, default=1.0)}),
            pd.DataFrame({"a": [1.0, None]}),
            id="a default fills what is missing",
        ),
        pytest.param(
            pr.DataFrameSchema({"a": pr.Column(int, pr.Check.ge(0))}, parsers=pr.Parser(lambda d: d[d["a"] >= 0])),
            pd.DataFrame({"a": [1, -5]}),
            id="a parser drops rows",
        ),
    ],
)
def test_what_would_be_published_is_what_was_judged(schema: Any, frame: pd.DataFrame) -> None:
    assert hold(frame, schema, tolerance=0.99).critical
