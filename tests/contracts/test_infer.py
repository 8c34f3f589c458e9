"""A draft keeps what it was made from, can be read and loaded, and keeps faults out."""

from __future__ import annotations

import ast
import datetime as dt
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tidegate as tg
from tidegate_contracts.check import Checked, check
from tidegate_contracts.draft import Draft, DraftColumn, Rule
from tidegate_contracts.draft_source import source_of
from tidegate_contracts.errors import UsageError
from tidegate_contracts.guesses.dtype import Form
from tidegate_contracts.guesses.shape import shape
from tidegate_contracts.infer import File, infer
from tidegate_flows import intake

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
HOSTILE = [
    '"; import os #',
    "x\ny",
    "'''",
    '"""',
    "\\",
    "\\'",
    "a\"b'c",
    "\u2028",
    "\u202e",
    "é",
    "class",
    "schema",
    "",
]
NAMES = ANY_TEXT | st.sampled_from([*HOSTILE, "id", "e-mail", "name", "p_x", "hour", "order id"])
SANE_TIMES = st.integers(-(2**31), 2**32).map(lambda seconds: pd.Timestamp(seconds, unit="s").to_pydatetime())
VALUES: dict[Any, st.SearchStrategy[Any]] = {
    pa.int64(): st.integers(-(2**63), 2**63 - 1) | st.integers(-5, 5) | st.sampled_from([0, -999]),
    pa.int8(): st.integers(-128, 127),
    pa.uint64(): st.integers(0, 2**64 - 1),
    pa.float64(): st.floats() | st.floats(0, 1) | st.sampled_from([0.0, 1.0, -999.0, 5e-324]),
    pa.float32(): st.floats(width=32),
    pa.bool_(): st.booleans(),
    pa.string(): ANY_TEXT | st.sampled_from(["EWR", "a-1", "NULL", "", "001", "a@b.de", *HOSTILE]),
    pa.dictionary(pa.int32(), pa.string()): st.sampled_from(["x", "y", "z"]),
    pa.timestamp("us", "UTC"): st.datetimes(),
    pa.timestamp("ms", "America/New_York"): SANE_TIMES,
    pa.timestamp("ns"): SANE_TIMES,
    pa.timestamp("s"): st.datetimes(),
    pa.date32(): st.dates(),
    pa.duration("us"): st.timedeltas(dt.timedelta(-9_000), dt.timedelta(9_000)),
    pa.time64("us"): st.times(),
    pa.decimal128(10, 2): st.decimals(-(10**6), 10**6, places=2),
    pa.decimal128(38, 10): st.decimals(-(10**20), 10**20, places=10),
    pa.null(): st.none(),
    pa.binary(): st.binary(max_size=4),
    pa.list_(pa.int64()): st.lists(st.integers(0, 3), max_size=2),
}


@st.composite
def tables(draw: Callable[..., Any]) -> Any:
    """A table of any types, with missing values, constants and repeated values."""
    rows = draw(st.sampled_from([1, 1, 2, 10, 60, 250]))
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    arrays = []
    for _ in names:
        kind = draw(st.sampled_from(list(VALUES)))
        values = VALUES[kind] | st.none() if draw(st.booleans()) else VALUES[kind]
        some = draw(st.lists(values, min_size=1, max_size=min(rows, 8)))
        arrays.append(pa.array((some * rows)[:rows], kind))
    return pa.table(arrays, names=names)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[Checked]]:
    """Load a drafted contract from its file and hold deliveries against it."""

    def judge(source: str, deliveries: Sequence[Any]) -> list[Checked]:
        folder = tmp_path_factory.mktemp("draft")
        path = folder / "draft.py"
        path.write_text(source, encoding="utf-8")
        contract, found = tg.load_contract(path), []
        for position, delivery in enumerate(deliveries):
            (folder / str(position)).mkdir()
            staged = intake.stage(delivery, folder / str(position))
            found.append(check(intake.decode(staged, contract), contract))
        return found

    return judge


def drafted(frame: Any, *more: Any) -> Draft:
    """The draft of some frames."""
    return infer([File(part if isinstance(part, pa.Table) else pa.table(part)) for part in (frame, *more)])


def texts(*values: str | None) -> Draft:
    """The draft of one column of a CSV file."""
    return infer([File(pa.table({"a": pa.array(values, pa.string())}), Form.CELLS)])


def only(draft: Draft) -> DraftColumn:
    """The one column there is."""
    (column,) = draft.columns
    return column


def argument(draft: Draft, name: str) -> Any:
    """The value of an argument that is not only proposed."""
    return next((item.value for item in draft.arguments if item.name == name and not item.proposed), None)


# what it was made from


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(files=st.lists(tables(), min_size=1, max_size=2))
def test_what_a_draft_was_made_from_keeps_it(files: list[Any], judged: Callable[..., list[Checked]]) -> None:
    draft = infer([File(table) for table in files])
    source = source_of(draft, "any")
    assert source == source_of(infer([File(table) for table in files]), "any")
    for checked in judged(source, files):
        assert checked.failed.sum() <= draft.outside, checked.violations
        assert draft.outside or not checked.critical, checked.violations


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(table=tables())
def test_the_same_rows_as_csv_keep_their_draft(
    table: Any, judged: Callable[..., list[Checked]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    from tidegate_flows.infer import draft as draft_of

    plain = [index for index, field in enumerate(table.schema) if not pa.types.is_nested(field.type)]
    frame = table.select(plain).to_pandas()
    path = tmp_path_factory.mktemp("csv") / "batch.csv"
    try:
        frame.to_csv(path, index=False, encoding="utf-8")
        draft = draft_of([path], "any")
    except UsageError:
        return  # no columns, only blank lines, or a name twice once it stands in a header
    for checked in judged(source_of(draft, "any"), [path]):
        assert checked.failed.sum() <= draft.outside, checked.violations


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_and_no_category_breaks_out_of_the_file(name: str, judged: Callable[..., list[Checked]]) -> None:
    table = pa.table({name: [name, "b"] * 30, f"{name}!": [-999, *range(59)], f"{name}?": list(range(60))})
    source = source_of(drafted(table), "any", owner=f"{name} team")
    names = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    assert names <= {"str", "int", "pa", "tg", "schema", "contract"}
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    assert all(isinstance(call.func, ast.Attribute) for call in calls)
    (checked,) = judged(source, [table])
    assert checked.failed.sum() == 1
    assert {violation.column for violation in checked.violations} == {f"{name}!"}


# types


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (["001", "002"], "str"),
        (["1", "-2", None], "int"),
        (["+1", "2"], "str"),
        (["1", "NA"], "int"),
        (["NA", "NA"], "str"),
        (["NA", "DE"], "str"),
        ([None, None], None),
        (["1", "2.50"], "float"),
        (["0.5", "0"], "float"),
        (["00.5"], "str"),
        (["123456789012345678901"], "str"),
        (["9223372036854775807"], "int"),
        (["9223372036854775807", "0.5"], "str"),
        (["True", "false"], "bool"),
        (["yes", "no"], "str"),
        (["2013-01-01"], '"datetime64[ns]"'),
        (["2013-02-30"], "str"),
        (["2013-01-01T05:00:00Z"], 'pd.DatetimeTZDtype("us", "UTC")'),
        (["2013-01-01 05:00+01:00", None], 'pd.DatetimeTZDtype("us", "UTC")'),
        (["2013-01-01T05:00:00.123456789Z"], 'pd.DatetimeTZDtype("ns", "UTC")'),
        (["2013-01-01T05:00", "2013-01-01T05:00Z"], "str"),
        (["a", ""], "str"),
    ],
)
def test_text_is_read_as_the_narrowest_type_that_loses_nothing(values: list[str | None], dtype: str | None) -> None:
    assert only(texts(*values)).dtype == dtype


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (["2", "3"], "str"),
        (["2013-01-01T05:00:00Z", None], 'pd.DatetimeTZDtype("us", "UTC")'),
        (["2013-01-01T05:00:00Z", "NA"], "str"),
    ],
)
def test_text_of_json_stands_for_nothing_but_times(values: list[str | None], dtype: str) -> None:
    assert only(infer([File(pa.table({"a": values}), Form.TIMES)])).dtype == dtype


@pytest.mark.parametrize("values", [pa.array([[1], [2]]), pa.array([b"a", None])])
def test_a_type_that_no_contract_can_say_is_left_open(values: Any) -> None:
    assert only(drafted({"a": values}, {"a": [1]})).dtype is None


def test_all_files_are_looked_at() -> None:
    draft = drafted({"a": [1, 2], "b": ["x", "y"]}, {"a": [1.5, None]}, {"a": pa.nulls(1), "b": ["z"]})
    by_name = {column.name: column for column in draft.columns}
    assert (draft.files, draft.rows) == (3, 5)
    assert (by_name["a"].dtype, by_name["a"].nullable, by_name["a"].required) == ("float", True, True)
    assert (by_name["b"].dtype, by_name["b"].nullable, by_name["b"].required) == ("str", False, False)


# ranges


@pytest.mark.parametrize(
    ("name", "values", "rule"),
    [
        ("a", np.linspace(3.0, 41.0, 2_000), Rule("in_range", (0, 80))),
        ("a", np.linspace(-3.0, 41.0, 2_000), Rule("in_range", (-50, 90))),
        ("a", np.linspace(1000.0, 1030.0, 2_000), Rule("in_range", (970, 1060))),
        ("a", np.linspace(-41.0, -3.0, 2_000), Rule("in_range", (-80, 0))),
        ("a", np.linspace(0.0, 0.95, 2_000), Rule("in_range", (0, 1))),
        ("a", np.linspace(0.0, 0.3, 2_000), Rule("in_range", (0, 0.6))),
        ("p_late", np.linspace(0.1, 0.3, 2_000), Rule("in_range", (0, 1))),
        ("a", np.minimum(np.linspace(1.0, 20.0, 2_000), 10.0), Rule("in_range", (0, 10))),
        ("a", np.r_[np.zeros(1_500), np.linspace(0.0, 0.3, 500)], Rule("in_range", (0, 3))),
        ("a", np.linspace(3.0, 41.0, 200), Rule("in_range", (0, 120))),
        ("a", np.array([1, 2, 3, 4, 5] * 20), Rule("in_range", (1, 5))),
        ("a", np.array([0, 1] * 20), Rule("isin", ([0, 1],))),
        ("a", np.full(30, 7.5), Rule("ge", (0,))),
        ("sched_hour", np.array([5, 6, 23] * 10), Rule("in_range", (0, 24))),
        ("order_id", np.arange(900, 1000), Rule("ge", (0,))),
        ("a", np.array([-(2**63), 2**63 - 1]), None),
        ("a", np.array([-1.7e308, 1.7e308]), None),
    ],
)
def test_a_range_has_head_room_in_numbers_that_a_person_would_write(name: str, values: Any, rule: Rule | None) -> None:
    assert only(drafted({name: values})).rules == (() if rule is None else (rule,))


@pytest.mark.parametrize("fault", [-999, 9_999, 99_999.0, np.inf])
def test_a_code_for_missing_is_told_and_does_not_widen_the_range(
    fault: float, judged: Callable[..., list[Checked]]
) -> None:
    clean = np.linspace(0.0, 50.0, 100)
    table = pa.table({"a": np.r_[clean, fault, fault]})
    draft, twin = drafted(table), drafted({"a": clean})
    assert only(draft).rules == only(twin).rules
    assert (draft.outside, twin.outside) == (2, 0)
    assert any("left out" in note for note in only(draft).notes)
    (checked,) = judged(source_of(draft, "any"), [table])
    assert checked.failed.sum() == 2


# texts


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        (["EWR", "JFK", "LGA"] * 20, Rule("isin", (["EWR", "JFK", "LGA"],))),
        ([f"{letter}{other}X" for letter in "ABCDEFG" for other in "ABCDEFG"], Rule("str_matches", ("^[A-Z]{3}$",))),
        ([f"order-{number}" for number in range(50)], Rule("str_matches", ("^order-[0-9]+$",))),
        ([f"{number:04}/x.{number:02}" for number in range(50)], Rule("str_matches", ("^[0-9]{4}/[a-z][.][0-9]{2}$",))),
        ([f"some words {number}" for number in range(50)], None),
        (["Anna", "Bert", "Claudia", "Dora", "Emil", "Fritz"] * 4, None),
        (["a", "b"] * 2, None),
        (["same"] * 50, None),
        ([*["LH", "AF", "BA", "IB", "KL", "LX"] * 200, *["OO"] * 5], Rule("str_matches", ("^[A-Z]{2}$",))),
    ],
)
def test_texts_become_categories_or_a_shape_or_neither(values: list[str], rule: Rule | None) -> None:
    assert only(drafted({"a": values})).rules == (() if rule is None else (rule,))


@given(st.lists(st.text("aZ09-./|+", min_size=1, max_size=6), min_size=1, max_size=8, unique=True))
def test_a_shape_fits_all_that_it_was_made_from(values: list[str]) -> None:
    import re

    pattern = shape(values, 100)
    assert pattern is None or all(re.fullmatch(pattern, value) for value in values)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("last_name", ["Meyer", "Okafor", "Rossi"] * 20),
        ("customerName", ["Meyer", "Okafor", "Rossi"] * 20),
        ("E-Mail", ["x"] * 60),
        ("phone", list(range(491_000_000, 491_000_060))),
        ("contact", [f"p{number}@example.com" for number in range(60)]),
        ("called", [f"+49 170 {1_000_000 + number}" for number in range(60)]),
        ("source", [f"10.0.0.{number}" for number in range(60)]),
    ],
)
def test_what_seems_personal_is_marked_and_no_value_of_it_is_written_down(name: str, values: list[Any]) -> None:
    draft = drafted({name: values})
    assert (only(draft).personal, only(draft).rules, argument(draft, "slices")) == (True, (), None)
    source = source_of(draft, "any")
    assert '"personal": True' in source
    assert not any(str(value) in source.replace(name, "") for value in values if value != "x")


@pytest.mark.parametrize("name", ["filename", "carrier", "mailbox_size", "surcharge", "is_mobile"])
def test_what_only_sounds_alike_is_not_personal(name: str) -> None:
    assert not only(drafted({name: [True, False] * 10 if name == "is_mobile" else list(range(20))})).personal


# what columns are for


def test_the_key_is_one_column_before_two_and_never_a_fraction() -> None:
    rng = np.random.default_rng(3)
    rows = {"amount": rng.random(60), "order_id": [f"o{number}" for number in range(60)], "line": list(range(60))}
    assert argument(drafted(rows), "key") == ("order_id",)
    assert argument(drafted({"amount": rng.random(60)}), "key") is None
    days = pd.date_range("2024-01-01", periods=50, tz="UTC").repeat(4)
    pair = {"shop": ["a", "b", "c", "d"] * 50, "day": days.as_unit("us"), "amount": rng.random(200)}
    assert argument(drafted(pair), "key") == ("shop", "day")
    twice = {name: [*values, values[0]] for name, values in pair.items()}
    assert argument(drafted(twice), "key") is None
    chance = {"a": rng.integers(0, 10**6, 50).repeat(2), "b": rng.integers(0, 10**6, 100)}
    assert argument(drafted({**chance, "b": [*chance["b"][:99], chance["b"][0]]}), "key") is None


def test_a_key_may_come_again_in_another_file() -> None:
    day = {"shop": [f"s{number}" for number in range(30)]}
    assert argument(drafted(day, day), "key") == ("shop",)


def test_the_event_time_is_guessed_and_the_others_are_named() -> None:
    day = pd.date_range("2024-01-01", periods=30, freq="h", tz="UTC").as_unit("us")
    draft = drafted({"loaded": day, "shipped": [None, *day[1:]], "event_time": day})
    assert argument(draft, "event_time") == "event_time"
    assert "'loaded', 'shipped'" in source_of(draft, "any")
    assert argument(drafted({"shipped": [None, *day[1:]]}), "event_time") is None


def test_prediction_and_label_are_only_proposed() -> None:
    source = source_of(drafted({"p_bad": np.linspace(0, 1, 50), "bad": [0, 1] * 25}), "any")
    assert '    # prediction="p_bad",\n' in source
    assert '    # label="bad",\n' in source


@pytest.mark.parametrize(
    ("step", "cadence"),
    [("1D", dt.timedelta(days=1)), ("1h", dt.timedelta(hours=1)), ("7D", dt.timedelta(days=7)), ("31D", None)],
)
def test_the_cadence_is_the_distance_between_files(step: str, cadence: dt.timedelta | None) -> None:
    starts = pd.date_range("2024-01-01", periods=6, freq=step, tz="UTC").as_unit("us")
    files = [{"t": start + pd.to_timedelta(np.arange(40), unit="min").as_unit("us")} for start in starts]
    assert argument(drafted(*files), "cadence") == cadence
    assert argument(drafted(*files[:2]), "cadence") is None


@pytest.mark.parametrize("table", [{}, {"a": pa.array([], pa.int64())}])
def test_nothing_to_draft_from_is_refused(table: Any) -> None:
    with pytest.raises(UsageError, match="nothing to draft from"):
        drafted(table)


# real data


@pytest.fixture(scope="module")
def january(flights: pd.DataFrame) -> str:
    """The draft of the flights of January, a file a day."""
    days = flights[flights["day"] < dt.date(2013, 2, 1)].groupby("day")
    files = [File(pa.Table.from_pandas(rows.drop(columns="day"), preserve_index=False)) for _, rows in days]
    return source_of(infer(files), "flights")


@pytest.fixture(scope="module")
def rest(flights: pd.DataFrame) -> pd.DataFrame:
    """The flights of every third day from February to December."""
    later = flights[flights["day"] >= dt.date(2013, 2, 1)]
    return later[later["day"].map(dt.date.toordinal) % 3 == 0].reset_index(drop=True)


def test_the_draft_of_january_says_what_a_person_would(january: str) -> None:
    for line in (
        '"origin": pa.Column(str, pa.Check.isin(["EWR", "JFK", "LGA"])),',
        '"dest": pa.Column(str, pa.Check.str_matches("^[A-Z]{3}$")),',
        '"distance": pa.Column(float, pa.Check.in_range(0, 10_000)),',
        '"humid": pa.Column(float, pa.Check.in_range(0, 100), nullable=True),',
        '"p_late": pa.Column(float, pa.Check.in_range(0, 1)),',
        'key=("flight_id",),',
        'event_time="scheduled",',
        "cadence=timedelta(days=1),",
        '# prediction="p_late",',
        '# label="late",',
    ):
        assert line in january


def test_natural_days_of_the_rest_of_the_year_keep_the_draft_of_january(
    january: str, rest: pd.DataFrame, judged: Callable[..., list[Checked]]
) -> None:
    (checked,) = judged(january, [rest.drop(columns="day")])
    assert not checked.violations, "0 of 334 days when all are looked at; here every third"


@pytest.mark.parametrize(
    ("column", "spoil", "found"),
    [
        ("distance", lambda values: values * 1609.344, "impossible_values"),
        ("temp", lambda values: (values - 32) / 1.8 + 273.15, "impossible_values"),
        ("pressure", lambda values: values * 0.02953, "impossible_values"),
        ("p_late", lambda values: values * 100, "impossible_values"),
        ("humid", lambda values: values * 10, "impossible_values"),
        ("visib", lambda values: values * 1.609344, "impossible_values"),
        ("origin", lambda values: values.str.lower(), "category_change"),
        ("origin", lambda values: values.replace("EWR", "NWK"), "category_change"),
        ("dest", lambda values: values + " ", "impossible_values"),
        ("carrier", lambda values: values.where(values != "UA", "United"), "impossible_values"),
        ("distance", lambda values: values.where(values < 2_000), "missing_values"),
        ("flight_id", lambda values: values.where(values.index > 0, values.iloc[1]), "duplicate_rows"),
        ("scheduled", lambda values: values.astype(str), "schema_mismatch"),
    ],
)
def test_a_planted_fault_is_caught_by_the_draft_of_january_under_its_name(
    january: str,
    rest: pd.DataFrame,
    judged: Callable[..., list[Checked]],
    column: str,
    spoil: Callable[[Any], Any],
    found: str,
) -> None:
    day = rest[rest["day"] == rest["day"].iloc[-1]].drop(columns="day").reset_index(drop=True)
    clean, spoilt = judged(january, [day, day.assign(**{column: spoil(day[column])})])
    assert not clean.violations
    assert spoilt.critical
    assert {(violation.check, violation.column) for violation in spoilt.violations} == {(found, column)}


def test_a_real_fault_of_the_weather_is_left_out_and_its_other_hours_keep_the_draft() -> None:
    from tidegate_flows.demo.data import _read

    weather = _read("weather.csv")
    draft = drafted(pa.Table.from_pandas(weather, preserve_index=False))
    outside = {column.name: column.outside for column in draft.columns if column.outside}
    assert outside == {"wind_speed": 1}, "1048 miles per hour at Newark in February 2013"
    assert weather["wind_speed"].nlargest(2).round().tolist() == [1048, 43]


@pytest.mark.parametrize("name", ["breast_cancer", "diabetes", "wine", "iris"])
def test_half_of_a_data_set_keeps_the_draft_of_the_other(name: str, judged: Callable[..., list[Checked]]) -> None:
    import sklearn.datasets

    frame = getattr(sklearn.datasets, f"load_{name}")(as_frame=True).frame.sample(frac=1, random_state=7)
    half = len(frame) // 2
    left, right = frame.iloc[:half], frame.iloc[half:].reset_index(drop=True)
    source = source_of(drafted(pa.Table.from_pandas(left, preserve_index=False)), "cases")
    column = frame.columns[0]
    natural, spoilt = judged(source, [right, right.assign(**{column: right[column] * 1000 + 1000})])
    assert not natural.violations
    assert {(item.check, item.column) for item in spoilt.violations} == {("impossible_values", column)}


def test_a_draft_is_what_ruff_and_mypy_would_have_written(january: str, tmp_path: Path) -> None:
    path = tmp_path / "draft.py"
    odd = drafted({name or "x": [name, "b"] * 30 for name in HOSTILE} | {"t": pa.array([1] * 60, pa.date32())})
    paths = [path, tmp_path / "odd.py"]
    for where, text in zip(paths, (january, source_of(odd, "odd")), strict=True):
        where.write_text(text, encoding="utf-8")
    for command in (
        ["ruff", "check", "--isolated", "--quiet", "--select", "E,F,I,W", "--line-length", "120"],
        ["ruff", "format", "--isolated", "--quiet", "--check"],
        ["ruff", "format", "--isolated", "--quiet", "--check", "--line-length", "120"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command, *map(str, paths)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
