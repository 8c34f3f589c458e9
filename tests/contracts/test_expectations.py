"""Suites of Great Expectations, out and in."""

from __future__ import annotations

import json
import re
import warnings
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tidegate as tg
from tidegate_contracts.errors import ContractError
from tidegate_contracts.expectations import from_suite, to_suite
from tidegate_contracts.imported_source import source_of
from tidegate_contracts.portable_regex import check_of, portable, regex_of
from tidegate_contracts.sql_types import TYPE_NAMES

NAMES = ("a", "b c", 'it\'s "d"', "ä\\n")
numbers = st.one_of(st.integers(-(2**40), 2**40), st.floats(allow_nan=False, allow_infinity=False, width=32))


def said(document: dict[str, Any]) -> list[str]:
    """The expectations of a suite, in an order of their own."""
    keys = ("type", "kwargs", "severity")
    return sorted(json.dumps({key: item[key] for key in keys}, sort_keys=True) for item in document["expectations"])


def taken(document: dict[str, Any], name: str | None = None) -> tuple[str, list[str]]:
    """The source of the contract that a suite leads to, and what was lost."""
    draft = from_suite(document, name)
    return source_of(draft), [*draft.lost]


def loaded(source: str, folder: Path) -> tg.Contract:
    path = folder / "contract.py"
    path.write_text(source, encoding="utf-8")
    return tg.load_contract(path)


@st.composite
def expectations(draw: st.DrawFn, name: str) -> list[dict[str, Any]]:
    """What a suite may say of a column."""
    column = {"column": name}
    found: list[tuple[str, dict[str, Any]]] = [("expect_column_to_exist", column)]
    if draw(st.booleans()):
        found.append(("expect_column_values_to_not_be_null", column))
    if draw(st.booleans()):
        found.append(("expect_column_values_to_be_unique", column))
    if draw(st.booleans()):
        names = [*draw(st.sampled_from([TYPE_NAMES[family] for family in list(TYPE_NAMES)[:4]]))]
        found.append(("expect_column_values_to_be_in_type_list", column | {"type_list": names}))
    found += draw(st.lists(values(column), max_size=3))
    return [{"type": kind, "kwargs": arguments, "severity": "critical"} for kind, arguments in found]


@st.composite
def values(draw: st.DrawFn, column: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """What a suite may say of a column's values."""
    kind = draw(st.sampled_from(["between", "set", "not set", "regex", "lengths", "length"]))
    if kind == "between":
        low, high = sorted(draw(st.tuples(numbers, numbers)))
        ends = draw(st.sampled_from([{"min_value": low}, {"max_value": high}, {"min_value": low, "max_value": high}]))
        strict = {f"strict_{end[:3]}": True for end in ends if low < high and draw(st.booleans())}
        return "expect_column_values_to_be_between", column | ends | strict
    if kind in ("set", "not set"):
        members = draw(st.lists(st.one_of(st.text(max_size=3), st.booleans(), numbers), min_size=1, max_size=4))
        word = "not_" if kind == "not set" else ""
        return f"expect_column_values_to_{word}be_in_set", column | {"value_set": members}
    if kind == "regex":
        regex = draw(st.sampled_from(["^[A-Z]+$", "^(?:a|b)", "x|^y", "^a|b", "^(?:^a)", "q$", r"\d{2}", "'\"\\\\"]))
        return "expect_column_values_to_match_regex", column | {"regex": regex}
    if kind == "length":
        return "expect_column_value_lengths_to_equal", column | {"value": draw(st.integers(0, 9))}
    return "expect_column_value_lengths_to_be_between", column | {"min_value": draw(st.integers(0, 9))}


@st.composite
def suites(draw: st.DrawFn) -> dict[str, Any]:
    """A suite that says only what a contract can say too."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    found = [item for name in names for item in draw(expectations(name))]
    more: list[tuple[str, dict[str, Any]]] = []
    if draw(st.booleans()):
        more.append(("expect_table_columns_to_match_ordered_list", {"column_list": names}))
    if len(names) > 1 and draw(st.booleans()):
        more.append(("expect_compound_columns_to_be_unique", {"column_list": names[:2]}))
    least = draw(st.integers(0, 9))
    if draw(st.booleans()):
        more.append(("expect_table_row_count_to_be_between", {"min_value": least, "max_value": least + 5}))
    elif least:
        more.append(("expect_table_row_count_to_be_between", {"min_value": least}))
    found += [{"type": kind, "kwargs": arguments, "severity": "critical"} for kind, arguments in more]
    unique = {json.dumps(item, sort_keys=True): item for item in found}
    return {"name": "Some suite, 1", "expectations": [*unique.values()], "meta": {}}


@given(suites())
def test_a_suite_survives_the_way_through_a_contract(
    tmp_path_factory: pytest.TempPathFactory, document: dict[str, Any]
) -> None:
    source, lost = taken(document)
    contract = loaded(source, tmp_path_factory.mktemp("suite"))
    again, lost_again = to_suite(contract)
    assert (lost, lost_again) == ([], [])
    assert said(again) == said(document)
    assert contract.name == "some_suite_1"


def test_a_contract_survives_the_way_through_a_suite(flights_contract: tg.Contract, tmp_path: Path) -> None:
    document, lost = to_suite(flights_contract)
    assert any(item.startswith("tolerance") for item in lost)
    assert any("'late'" in item for item in lost)
    source, lost_back = taken(json.loads(json.dumps(document)), "flights")
    back = loaded(source, tmp_path)
    assert lost_back == []
    assert to_suite(back)[0] == document
    kept = ("version", "owner", "contact", "key", "event_time", "time_zone", "prediction", "slices", "tolerance")
    for name in kept:
        assert getattr(back, name) == getattr(flights_contract, name)
    assert str(back.columns["scheduled"].type) == "datetime64[us, UTC]"


def test_great_expectations_itself_reads_the_suite(flights_contract: tg.Contract) -> None:
    pytest.importorskip("great_expectations", reason="great-expectations is not installed (pip install 'tidegate[gx]')")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from great_expectations.core import ExpectationSuite

        document = to_suite(flights_contract)[0]
        suite = ExpectationSuite(**document)
        back = suite.to_json_dict()
    assert len(suite.expectations) == len(document["expectations"])
    draft = from_suite(back)
    assert draft.lost == ()
    assert draft == from_suite(document)  # numbers come back as floats
    kinds = [item["type"] for item in back["expectations"]]
    assert kinds == [item["type"] for item in document["expectations"]]


def test_what_only_one_side_can_say_is_listed() -> None:
    schema = pa.DataFrameSchema(
        {
            "x": pa.Column(float, [pa.Check(lambda values: values > 0, name="positive")]),
            "y.*": pa.Column(str, regex=True),
            "z": pa.Column(str, pa.Check.str_matches(re.compile("a", re.IGNORECASE)), required=False),
        },
        checks=pa.Check(lambda frame: frame.x < 9, name="small"),
    )
    contract = tg.Contract(name="x", version="1.0.0", owner="me", schema=schema, cadence=timedelta(days=1))
    _, lost = to_suite(contract)
    for words in ("positive", "'y.*'", "need not be there", "small", "cadence", "column 'z'"):
        assert any(words in item for item in lost), words

    suite = {
        "name": "s",
        "expectations": [
            {"type": "expect_column_to_exist", "kwargs": {"column": "a"}},
            {"type": "expect_column_mean_to_be_between", "kwargs": {"column": "a", "min_value": 0}},
            {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "a", "mostly": 0.9}},
            {
                "type": "expect_column_values_to_be_unique",
                "kwargs": {"column": "a", "row_condition": "b > 1", "condition_parser": "pandas"},
            },
            {"type": "expect_column_values_to_match_regex", "kwargs": {"column": "a", "regex": "("}},
            {"type": "expect_column_values_to_be_between", "kwargs": {"column": "a", "min_value": 2, "max_value": 1}},
            {"type": "expect_column_values_to_be_between", "kwargs": None},
            {},
        ],
    }
    source, lost = taken(suite)
    assert len(lost) == 7
    assert "pa.Column(nullable=True)" in source


def test_times_are_times_of_their_column_and_what_makes_no_check_is_listed(tmp_path: Path) -> None:
    types = {"day": "date32[day][pyarrow]", "at": "datetime64[us, UTC]", "word": "str"}
    bounds = [
        ("day", "2024-01-01", "2024-12-31"),
        ("at", "2024-01-01", "2024-06-01T00:00:00+02:00"),
        ("at", "soon", "later"),
        ("word", "b", "a"),
    ]
    said = [
        *(
            {
                "type": "expect_column_values_to_be_of_type",
                "kwargs": {"column": name, "type_": "?"},
                "meta": {"tidegate": {"dtype": dtype}},
            }
            for name, dtype in types.items()
        ),
        *(
            {
                "type": "expect_column_values_to_be_between",
                "kwargs": {"column": name, "min_value": low, "max_value": high},
            }
            for name, low, high in bounds
        ),
    ]
    source, lost = taken({"name": "times", "expectations": said})
    columns = loaded(source, tmp_path).pandera_schema.columns
    (day,), (at,) = columns["day"].checks, columns["at"].checks
    assert (day.statistics["min_value"], day.statistics["max_value"]) == (date(2024, 1, 1), date(2024, 12, 31))
    assert at.statistics["max_value"] == pd.Timestamp("2024-05-31T22:00:00", tz="UTC")
    assert not columns["word"].checks
    assert [line.split(":")[0] for line in lost] == ["in_range of column 'at'", "in_range of column 'word'"]


def test_severities_go_both_ways(tmp_path: Path, contract: tg.Contract) -> None:
    milder = tg.Contract(**{**vars_of(contract), "severity": {"category_change": "warning"}})
    document, _ = to_suite(milder)
    words = {item["severity"] for item in document["expectations"] if item["type"].endswith("to_be_in_set")}
    assert words == {"warning"}
    back = loaded(taken(document)[0], tmp_path)
    assert back.severity == {"category_change": "warning"}


def vars_of(contract: tg.Contract) -> dict[str, Any]:
    names = ("name", "version", "owner", "schema", "key", "event_time", "prediction", "label", "slices", "tolerance")
    return {name: getattr(contract, name) for name in names}


@pytest.mark.parametrize(
    "document",
    [{}, [], {"expectations": {}}, {"expectations": [1]}, {"expectations": []}, {"expectations": [{"type": 1}]}],
)
def test_what_is_no_suite_is_refused(document: Any) -> None:
    with pytest.raises(ContractError):
        from_suite(document)


def test_a_hostile_suite_makes_a_contract_of_literals_only(tmp_path: Path) -> None:
    evil = '"""\n__import__("os").abort()\n#'
    document = {
        "name": evil,
        "expectations": [
            {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": evil, "value_set": [evil]}},
            {
                "type": "expect_column_values_to_be_of_type",
                "kwargs": {"column": evil, "type_": evil},
                "meta": {"tidegate": {"dtype": evil}},
            },
        ],
        "meta": {"tidegate": {"owner": evil, "version": evil, "key": [evil, 1], "time_zone": "../../etc/passwd"}},
    }
    source, lost = taken(document)
    contract = loaded(source, tmp_path)
    assert [*contract.columns] == [evil]
    assert contract.version == "0.1.0"
    assert len(lost) == 4


@given(st.sampled_from(["str_matches", "str_contains", "str_startswith", "str_endswith"]), st.text(max_size=6))
def test_a_pattern_finds_what_its_check_accepts(how: str, text: str) -> None:
    if how in ("str_matches", "str_contains"):
        text = re.escape(text)
    regex = regex_of(how, text)
    assert regex_of(*check_of(regex)) == regex


PIECES = ("a", "B", "1", ".", r"\.", r"\d", "[a-c]", "[^x]", "(ab|c)", "(?:d)", "^", "$", "|", "é", " ", "-", r"[\]-]")
COUNTS = ("", "*", "+", "?", "{2}", "{1,3}")


@given(
    st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(COUNTS)), max_size=5).map(
        lambda parts: "".join(map("".join, parts))
    ),
    st.text("aBb1.x \né-c]d", max_size=8),
    st.booleans(),
)
def test_a_portable_pattern_means_what_pandas_means(pattern: str, text: str, anchored: bool) -> None:
    translated = portable(pattern, anchored=anchored)
    if translated is None:
        return
    series = pd.Series([text], dtype="string[pyarrow]")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas tells of groups
        found = series.str.match(pattern) if anchored else series.str.contains(pattern)
    assert bool(re.search(translated, text)) == bool(found[0])


@pytest.mark.parametrize(
    "pattern", [r"(?i)a", r"\bword", r"\w+", "a++", "a*?", "(?=x)", r"(a)\1", "[[:alpha:]]", "(", "a{999}"]
)
def test_a_pattern_that_dialects_read_otherwise_is_refused(pattern: str) -> None:
    assert portable(pattern, anchored=False) is None
