"""The table of logical types: what may change its representation, and what may not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pandera.pandas as pr
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.contracts.columns import column, declared
from tidegate_contracts.pandas_dialect import dtype_for, strange_categories, to_series
from tidegate_contracts.types import LogicalType, Reconciled, logical_type, reconcile

UTC_TIMES = pd.DatetimeTZDtype("us", "UTC")
DATES = pd.ArrowDtype(pa.date32())
ZONES = ("UTC", "Europe/Paris", "America/New_York", "Asia/Kathmandu", "+05:30")
WIDTHS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
UNITS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
EVERY_TYPE: dict[str, Any] = {
    "text": str,
    "arrow text": pd.ArrowDtype(pa.string()),
    **{width: width for width in WIDTHS},
    "masked integer": "Int64",
    "float32": "float32",
    "float64": float,
    "decimal": pd.ArrowDtype(pa.decimal128(9, 2)),
    "boolean": bool,
    "masked boolean": "boolean",
    "naive time": "datetime64[ns]",
    "zoned time": UTC_TIMES,
    "date": DATES,
    "duration": "timedelta64[ns]",
    "arrow dictionary": pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string())),
}
chunks = st.integers(1, 4)


def naive(text: str) -> datetime:
    """A time without a zone."""
    return datetime.fromisoformat(text)


def is_refused(result: Reconciled, delivered: Any) -> bool:
    """Whether a column is a mismatch with a reason, and its values are as they came."""
    return bool(result.mismatch) and result.cast is None and result.values is delivered and result.unparsed is None


def parse(cells: Sequence[str | None], dtype: Any, *, time_zone: str | None = None, parts: int = 1) -> Reconciled:
    """Cells of text, parsed towards a type."""
    return reconcile(column(cells, pa.string(), parts), declared(dtype), text=True, time_zone=time_zone)


def unparsed(result: Reconciled) -> list[int]:
    """The positions that did not parse."""
    return [] if result.unparsed is None else result.unparsed.tolist()


# what may change its representation


@given(st.data(), st.sampled_from(WIDTHS), st.sampled_from(WIDTHS), chunks)
def test_an_integer_of_another_width_keeps_every_value(data: st.DataObject, have: str, want: str, parts: int) -> None:
    low = max(np.iinfo(have).min, np.iinfo(want).min)
    high = min(np.iinfo(have).max, np.iinfo(want).max)
    values = data.draw(st.lists(st.none() | st.integers(int(low), int(high)), max_size=8))
    delivered = column(values, pa.type_for_alias(have), parts)
    result = reconcile(delivered, declared(want))
    assert result.mismatch is None
    assert result.values.type == pa.type_for_alias(want)
    assert result.values.to_pylist() == values
    assert result.cast == (None if have == want else f"{have} → {want}")


@given(st.data(), st.sampled_from(WIDTHS), st.sampled_from(WIDTHS))
def test_an_integer_beyond_the_declared_width_is_a_mismatch(data: st.DataObject, have: str, want: str) -> None:
    outside = [
        int(bound)
        for bound in (np.iinfo(have).min, np.iinfo(have).max)
        if not np.iinfo(want).min <= bound <= np.iinfo(want).max
    ]
    if not outside:
        return
    values = [*data.draw(st.lists(st.none() | st.just(0), max_size=3)), data.draw(st.sampled_from(outside))]
    delivered = column(values, pa.type_for_alias(have))
    assert is_refused(reconcile(delivered, declared(want)), delivered)


@given(st.lists(st.none() | st.integers(-(2**53), 2**53), max_size=8), chunks)
@example([2**53, -(2**53)], 1)
def test_integers_up_to_two_to_the_53_are_floats(values: list[int | None], parts: int) -> None:
    result = reconcile(column(values, pa.int64(), parts), declared(float))
    assert result.mismatch is None
    assert result.cast == "int64 → double"
    assert [None if value is None else int(value) for value in result.values.to_pylist()] == values


@given(st.lists(st.integers(-5, 5), max_size=3), st.integers(2**53 + 1, 2**63 - 1), st.booleans())
@example([], 2**53 + 1, False)
def test_integers_beyond_two_to_the_53_are_no_floats(values: list[int], large: int, negative: bool) -> None:
    delivered = column([*values, -large if negative else large], pa.int64())
    result = reconcile(delivered, declared(float))
    assert is_refused(result, delivered)
    assert "2**53" in str(result.mismatch)


def test_an_integer_that_a_float32_would_round_is_a_mismatch() -> None:
    delivered = column([2**24 + 1], pa.int64())
    assert is_refused(reconcile(delivered, declared("float32")), delivered)
    assert reconcile(column([2**24], pa.int64()), declared("float32")).values.to_pylist() == [2.0**24]


@given(st.lists(st.none() | st.floats(width=32), max_size=8), chunks)
def test_a_float32_is_the_same_float64(values: list[float | None], parts: int) -> None:
    result = reconcile(column(values, pa.float32(), parts), declared(float))
    assert result.mismatch is None
    assert [repr(value) for value in result.values.to_pylist()] == [repr(value) for value in values]


@given(st.lists(st.none() | st.floats(width=64) | st.floats(width=32), min_size=1, max_size=6))
@example([0.1])
@example([1e300])
@example([math.nan, math.inf, -0.0])
def test_a_float64_is_a_float32_only_where_every_value_survives(values: list[float | None]) -> None:
    with np.errstate(over="ignore"):
        survives = all(value is None or math.isnan(value) or float(np.float32(value)) == value for value in values)
    delivered = column(values, pa.float64())
    result = reconcile(delivered, declared("float32"))
    if survives:
        assert result.mismatch is None
        assert result.values.type == pa.float32()
        assert [repr(value) for value in result.values.to_pylist()] == [repr(value) for value in values]
    else:
        assert is_refused(result, delivered)


@pytest.mark.parametrize("stored", [pa.string(), pa.large_string(), pa.string_view()], ids=str)
@given(values=st.lists(st.none() | st.text(max_size=5), max_size=8), parts=chunks)
def test_text_is_text_however_it_is_stored(stored: Any, values: list[str | None], parts: int) -> None:
    result = reconcile(column(values, stored, parts), declared(str))
    assert result.mismatch is None
    assert result.values.to_pylist() == values
    assert result.values.type == pa.string()


@given(st.lists(st.none() | st.sampled_from(["a", "b", ""]), max_size=8), chunks)
def test_dictionary_encoded_text_is_the_same_text(values: list[str | None], parts: int) -> None:
    for stored in (pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.uint32(), pa.large_string())):
        result = reconcile(column(values, stored, parts), declared(str))
        assert result.mismatch is None
        assert result.values.to_pylist() == values
        assert result.cast == f"{stored} → string"


def test_a_dictionary_of_numbers_is_those_numbers_in_the_declared_width() -> None:
    result = reconcile(column([7, None, 7], pa.dictionary(pa.int8(), pa.int32())), declared(int))
    assert result.values.to_pylist() == [7, None, 7]
    assert result.values.type == pa.int64()


@given(
    st.sampled_from(sorted(UNITS)),
    st.sampled_from(sorted(UNITS)),
    st.lists(st.none() | st.integers(-(10**11), 10**11), min_size=1, max_size=6),
    st.booleans(),
)
@example("ns", "us", [1], True)
@example("ns", "us", [1000, -1000], False)
def test_another_unit_of_time_keeps_every_instant_or_is_a_mismatch(
    have: str, want: str, values: list[int | None], zoned: bool
) -> None:
    zone = "UTC" if zoned else None
    delivered = column(values, pa.timestamp(have, zone))
    dtype = pd.ArrowDtype(pa.timestamp(want, zone))
    result = reconcile(delivered, declared(dtype))
    nanoseconds = [None if value is None else value * UNITS[have] for value in values]
    survives = all(
        value is None or (value % UNITS[want] == 0 and -(2**63) < value // UNITS[want] < 2**63) for value in nanoseconds
    )
    if survives:
        assert result.mismatch is None
        stored = result.values.cast(pa.int64()).to_pylist()
        assert [None if value is None else value * UNITS[want] for value in stored] == nanoseconds
    else:
        assert is_refused(result, delivered)


@given(st.sampled_from(ZONES), st.lists(st.none() | st.integers(-(10**15), 10**15), max_size=6), chunks)
def test_another_zone_of_the_same_instant_keeps_every_instant(zone: str, values: list[int | None], parts: int) -> None:
    result = reconcile(column(values, pa.timestamp("us", zone), parts), declared(UTC_TIMES))
    assert result.mismatch is None
    assert result.values.type == pa.timestamp("us", "UTC")
    assert result.values.cast(pa.int64()).to_pylist() == values


@pytest.mark.parametrize("dtype", EVERY_TYPE.values(), ids=EVERY_TYPE.keys())
@given(rows=st.integers(0, 5), parts=chunks)
def test_a_column_with_nothing_in_it_is_of_any_type(dtype: Any, rows: int, parts: int) -> None:
    result = reconcile(column([None] * rows, pa.null(), parts), declared(dtype))
    assert result.mismatch is None
    assert result.values.type == declared(dtype).arrow
    assert result.values.to_pylist() == [None] * rows


@pytest.mark.parametrize("dtype", EVERY_TYPE.values(), ids=EVERY_TYPE.keys())
def test_a_column_of_its_own_declared_type_is_never_refused(dtype: Any) -> None:
    delivered = column([None], pa.null()).cast(declared(dtype).arrow)
    result = reconcile(delivered, declared(dtype))
    assert result.mismatch is None
    assert result.cast is None


def test_a_column_without_a_declared_type_stays_as_it_came() -> None:
    delivered = column([[1], None], pa.list_(pa.int64()))
    result = reconcile(delivered, declared(None))
    assert result.values is delivered
    assert (result.cast, result.mismatch, result.unparsed) == (None, None, None)


# what may not


@pytest.mark.parametrize(
    ("values", "stored", "dtype"),
    [
        pytest.param([1.0], pa.float64(), int, id="float as integer"),
        pytest.param(["yes"], pa.string(), bool, id="'yes' as boolean"),
        pytest.param(["True"], pa.string(), bool, id="'True' as boolean"),
        pytest.param([1, 0], pa.int64(), bool, id="integer as boolean"),
        pytest.param([True], pa.bool_(), int, id="boolean as integer"),
        pytest.param([True], pa.bool_(), float, id="boolean as float"),
        pytest.param(["1"], pa.string(), int, id="text as integer"),
        pytest.param([1], pa.int64(), str, id="integer as text"),
        pytest.param([b"a"], pa.binary(), str, id="bytes as text"),
        pytest.param([naive("2024-01-01")], pa.timestamp("us"), UTC_TIMES, id="naive as zoned"),
        pytest.param([0], pa.timestamp("us", "UTC"), "datetime64[ns]", id="zoned as naive"),
        pytest.param([1], pa.timestamp("ns", "UTC"), UTC_TIMES, id="nanoseconds as microseconds"),
        pytest.param([0], pa.int64(), UTC_TIMES, id="integer as time"),
        pytest.param([date(2024, 1, 1)], pa.date32(), "datetime64[ns]", id="date as time"),
        pytest.param([0], pa.timestamp("us"), DATES, id="time as date"),
        pytest.param([1e30], pa.float64(), pd.ArrowDtype(pa.decimal128(9, 2)), id="float beyond the decimal"),
        pytest.param([0], pa.time64("us"), pd.ArrowDtype(pa.list_(pa.int64())), id="clock time as list"),
        pytest.param([b"a"], pa.binary(), pd.ArrowDtype(pa.time64("us")), id="bytes as clock time"),
    ],
)
def test_what_would_change_its_family_or_its_value_is_a_mismatch(values: list[Any], stored: Any, dtype: Any) -> None:
    delivered = column(values, stored)
    assert is_refused(reconcile(delivered, declared(dtype)), delivered)


@given(st.datetimes(naive("1900-01-01"), naive("2100-01-01")))
def test_a_naive_time_gets_the_zone_that_the_contract_declares(moment: datetime) -> None:
    zone = ZoneInfo("Asia/Kathmandu")  # no summer time: every local time exists once, save at its two changes of law
    delivered = column([moment], pa.timestamp("us"))
    result = reconcile(delivered, declared(UTC_TIMES), time_zone="Asia/Kathmandu")
    if result.mismatch is None:
        assert result.values.to_pylist() == [moment.replace(tzinfo=zone)]
    else:
        assert moment.year in (1920, 1985, 1986)


@pytest.mark.parametrize(
    "moment",
    [naive("2024-03-10T02:30"), naive("2024-11-03T01:30")],
    ids=["never happened", "happened twice"],
)
def test_a_naive_time_that_the_zone_cannot_tell_is_a_mismatch(moment: datetime) -> None:
    delivered = column([moment], pa.timestamp("us"))
    assert is_refused(reconcile(delivered, declared(UTC_TIMES), time_zone="America/New_York"), delivered)


def test_a_naive_time_stays_naive_where_the_contract_asks_for_naive_times() -> None:
    result = reconcile(column([0], pa.timestamp("ns")), declared("datetime64[ns]"), time_zone="America/New_York")
    assert result.cast is None
    assert result.values.type == pa.timestamp("ns")


# text


CELLS = st.lists(st.none() | st.sampled_from(["", "NA", "001", " a ", "None", "1.0"]) | st.text(max_size=3), max_size=6)


@given(CELLS, chunks)
@example(["001", "NA", "", " padded ", "null"], 1)
def test_cells_of_a_text_column_stay_letter_for_letter(cells: list[str | None], parts: int) -> None:
    for dtype in (str, "category", None):
        result = parse(cells, dtype, parts=parts)
        assert result.values.to_pylist() == cells
        assert result.unparsed is None
        assert result.mismatch is None


@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=8), chunks)
def test_whole_numbers_parse_exactly(values: list[int | None], parts: int) -> None:
    result = parse([None if value is None else str(value) for value in values], int, parts=parts)
    assert result.values.to_pylist() == values
    assert result.unparsed is None


@given(st.lists(st.none() | st.floats(allow_nan=False), max_size=8), chunks)
def test_numbers_parse_exactly(values: list[float | None], parts: int) -> None:
    result = parse([None if value is None else repr(value) for value in values], float, parts=parts)
    assert result.values.to_pylist() == values
    assert result.unparsed is None


@pytest.mark.parametrize(
    ("cell", "value"),
    [("+1.5", 1.5), (" 2 ", 2.0), (".5", 0.5), ("3.", 3.0), ("1e3", 1000.0), ("-Infinity", -math.inf)],
)
def test_numbers_parse_as_people_write_them(cell: str, value: float) -> None:
    result = parse([cell, "x"], float)
    assert result.values.to_pylist() == [value, None]
    assert unparsed(result) == [1]


@given(st.lists(st.none() | st.booleans(), max_size=8), st.sampled_from([str.lower, str.upper, str.title]))
def test_booleans_parse_in_three_cases(values: list[bool | None], case: Any) -> None:
    result = parse([None if value is None else case(str(value)) for value in values], bool)
    assert result.values.to_pylist() == values
    assert result.unparsed is None


@given(st.lists(st.none() | st.dates(), max_size=8), chunks)
def test_dates_parse_exactly(values: list[date | None], parts: int) -> None:
    result = parse([None if value is None else value.isoformat() for value in values], DATES, parts=parts)
    assert result.values.to_pylist() == values
    assert result.unparsed is None


@given(
    st.lists(st.datetimes(naive("1700-01-01"), naive("2200-01-01")), max_size=6),
    st.integers(-14 * 60, 14 * 60),
    st.sampled_from(["T", " "]),
)
def test_times_with_an_offset_parse_to_the_same_instant(moments: list[datetime], offset: int, between: str) -> None:
    zoned = [moment.replace(tzinfo=timezone(timedelta(minutes=offset))) for moment in moments]
    result = parse([moment.isoformat(sep=between) for moment in zoned], UTC_TIMES)
    assert result.values.to_pylist() == zoned
    assert result.values.type == pa.timestamp("us", "UTC")
    assert result.unparsed is None


def test_times_without_an_offset_are_read_in_the_contracts_zone_only() -> None:
    cells = ["2024-07-01T12:00", "2024-07-01 12:00:00Z", "2024-07-01"]
    without = parse(cells, UTC_TIMES)
    assert unparsed(without) == [0, 2]
    assert without.values.to_pylist() == [None, datetime(2024, 7, 1, 12, tzinfo=UTC), None]
    within = parse(cells, UTC_TIMES, time_zone="America/New_York")
    assert unparsed(within) == []
    assert within.values.to_pylist() == [
        datetime(2024, 7, 1, 16, tzinfo=UTC),
        datetime(2024, 7, 1, 12, tzinfo=UTC),
        datetime(2024, 7, 1, 4, tzinfo=UTC),
    ]


def test_a_time_with_an_offset_is_no_naive_time() -> None:
    result = parse(["2024-07-01T12:00", "2024-07-01T12:00Z"], "datetime64[ns]", time_zone="America/New_York")
    assert unparsed(result) == [1]
    assert result.values.to_pylist() == [pd.Timestamp("2024-07-01T12:00"), None]


@pytest.mark.parametrize(
    ("good", "bad", "dtype"),
    [
        pytest.param("2013-02-28", ["2013-02-30", "2013-2-28", "28.02.2013", "2013-02-28T00:00"], DATES, id="date"),
        pytest.param(
            "7", ["1.5", "1.0", "99999999999999999999", "yes", "1_0", "٣", "0x1", "1e3", "--1"], int, id="integer"
        ),
        pytest.param("255", ["-1", "256"], "uint8", id="unsigned"),
        pytest.param("1.5", ["yes", "1,5", "1.5.5", "1e", "."], float, id="number"),
        pytest.param("true", ["yes", "1", "0", "T", "tRUE"], bool, id="boolean"),
        pytest.param(
            "2013-03-01T10:00Z",
            ["2013-02-30T10:00Z", "2013-03-01T25:00Z", "10:00", "2013-03-01T10:00:00.1234567Z"],
            UTC_TIMES,
            id="time",
        ),
        pytest.param("1.25", ["1.255", "99999999.00", "x"], pd.ArrowDtype(pa.decimal128(9, 2)), id="decimal"),
    ],
)
@given(data=st.data())
def test_impossible_cells_are_named_by_their_positions(
    data: st.DataObject, good: str, bad: list[str], dtype: Any
) -> None:
    cells = data.draw(st.lists(st.sampled_from([*bad, good, ""]), min_size=1, max_size=12))
    result = parse(list(cells), dtype, parts=data.draw(chunks))
    assert unparsed(result) == [position for position, cell in enumerate(cells) if cell in bad]
    assert [value is not None for value in result.values.to_pylist()] == [cell == good for cell in cells]


@pytest.mark.parametrize("dtype", [int, float, bool, UTC_TIMES, DATES], ids=str)
@given(st.lists(st.sampled_from(["", " ", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"]) | st.none(), max_size=9))
def test_empty_and_not_available_are_missing_unless_the_column_is_text(dtype: Any, cells: list[str | None]) -> None:
    result = parse(cells, dtype)
    assert result.values.null_count == len(cells)
    assert result.values.type == declared(dtype).arrow
    assert result.unparsed is None


NOISE = st.lists(st.text("0129-+:.TZ eEinfaN/", max_size=8) | st.none(), max_size=5)


@pytest.mark.parametrize("dtype", [int, "uint8", float, bool, UTC_TIMES, "datetime64[ns]", DATES], ids=str)
@given(cells=NOISE, parts=chunks)
def test_a_cell_is_a_value_or_missing_or_unparsed_and_never_an_exception(
    dtype: Any, cells: list[str | None], parts: int
) -> None:
    result = parse(cells, dtype, parts=parts)
    assert result.mismatch is None
    assert len(result.values) == len(cells)
    missing = [None, "", "NA", "N/A", "NaN", "nan"]
    nothing = {position for position, cell in enumerate(cells) if cell is None or cell.strip() in missing}
    absent = set(np.flatnonzero(pc.is_null(result.values).to_numpy()).tolist())
    assert absent == nothing | set(unparsed(result))
    assert not nothing & set(unparsed(result))


@pytest.mark.parametrize(
    ("cells", "dtype"),
    [(["0000-01-01", "2013-02-30"], DATES), (["0000-01-01T00:00Z", "2013-02-30T00:00Z"], UTC_TIMES)],
    ids=["date", "time"],
)
def test_a_year_that_python_cannot_hold_is_no_exception(cells: list[str | None], dtype: Any) -> None:
    assert 1 in unparsed(parse(cells, dtype))


def test_a_number_too_large_for_a_float_is_unparsed_rather_than_infinite() -> None:
    assert unparsed(parse(["1e400", "1e300", "-1e400"], float)) == [0, 2]


@pytest.mark.parametrize(
    "dtype",
    ["timedelta64[ns]", pd.ArrowDtype(pa.time64("us")), pd.ArrowDtype(pa.list_(pa.int64()))],
    ids=["duration", "clock time", "list"],
)
def test_text_of_a_type_that_has_no_text_form_here_is_said_and_never_an_exception(dtype: Any) -> None:
    result = parse(["abc", "12"], dtype)
    assert result.mismatch is not None or unparsed(result) != []


# the series that pandera is asked about


@pytest.mark.parametrize(
    ("values", "stored", "dtype"),
    [
        pytest.param(["a", None], pa.string(), str, id="text"),
        pytest.param(["a", None], pa.string(), "string", id="string"),
        pytest.param(["a", None], pa.large_string(), pd.ArrowDtype(pa.string()), id="arrow text"),
        pytest.param([1, 2], pa.int32(), int, id="integer"),
        pytest.param([1, 2], pa.int64(), "int8", id="narrow integer"),
        pytest.param([1, None], pa.int64(), "Int64", id="masked integer"),
        pytest.param([1.5, None], pa.float32(), float, id="float"),
        pytest.param([1, None], pa.int64(), float, id="integer as float"),
        pytest.param([True], pa.bool_(), bool, id="boolean"),
        pytest.param([True, None], pa.bool_(), "boolean", id="masked boolean"),
        pytest.param([0, None], pa.timestamp("ns", "Europe/Paris"), UTC_TIMES, id="zoned time"),
        pytest.param([0, None], pa.timestamp("s"), "datetime64[ns]", id="naive time"),
        pytest.param([5, None], pa.duration("s"), "timedelta64[ns]", id="duration"),
        pytest.param([0, None], pa.date32(), DATES, id="date"),
        pytest.param(["a", None], pa.string(), "category", id="category"),
        pytest.param(["a", None], pa.string(), pd.CategoricalDtype(["a", "b"]), id="declared categories"),
        pytest.param([None], pa.null(), pd.CategoricalDtype(["a", "b"]), id="empty declared categories"),
        pytest.param([None], pa.null(), UTC_TIMES, id="empty time"),
        pytest.param([None], pa.null(), str, id="empty text"),
        pytest.param([], pa.int64(), int, id="no rows"),
    ],
)
def test_a_reconciled_column_is_the_series_that_pandera_asks_for(values: list[Any], stored: Any, dtype: Any) -> None:
    result = reconcile(column(values, stored), declared(dtype))
    assert result.mismatch is None
    series = to_series(result.values, declared(dtype))
    schema = pr.DataFrameSchema({"x": pr.Column(dtype, nullable=True)})
    schema.validate(pd.DataFrame({"x": series}))
    assert series.isna().tolist() == [value is None for value in values]


@pytest.mark.parametrize(
    ("values", "stored", "dtype", "expected"),
    [
        pytest.param([1, None], pa.int64(), int, np.dtype("float64"), id="integer"),
        pytest.param([2**53 + 1, None], pa.int64(), int, pd.Int64Dtype(), id="large integer"),
        pytest.param([2**60, None], pa.uint64(), "uint64", pd.UInt64Dtype(), id="large unsigned"),
        pytest.param([True, None], pa.bool_(), bool, pd.BooleanDtype(), id="boolean"),
        pytest.param([1, 2], pa.int64(), int, np.dtype("int64"), id="nothing missing"),
        pytest.param([1.0, None], pa.float64(), float, np.dtype("float64"), id="float"),
    ],
)
def test_a_type_that_cannot_be_missing_gives_way_and_keeps_its_values(
    values: list[Any], stored: Any, dtype: Any, expected: Any
) -> None:
    delivered = column(values, stored)
    assert dtype_for(delivered, declared(dtype)) == expected
    series = to_series(delivered, declared(dtype))
    assert series.dtype == expected
    assert series.dropna().tolist() == [value for value in values if value is not None]


def test_a_value_outside_the_declared_categories_is_seen_rather_than_made_missing() -> None:
    dtype = declared(pd.CategoricalDtype(["a", "b"]))
    values = column(["a", "z", None], pa.string())
    assert strange_categories(values, dtype).tolist() == [1]
    assert to_series(values, dtype).isna().tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("arrow", "family"),
    [
        (pa.bool_(), LogicalType.BOOLEAN),
        (pa.uint8(), LogicalType.INTEGER),
        (pa.float16(), LogicalType.NUMBER),
        (pa.decimal128(5, 2), LogicalType.NUMBER),
        (pa.string_view(), LogicalType.TEXT),
        (pa.dictionary(pa.int8(), pa.large_string()), LogicalType.TEXT),
        (pa.dictionary(pa.int8(), pa.int64()), LogicalType.INTEGER),
        (pa.date64(), LogicalType.DATE),
        (pa.timestamp("s", "UTC"), LogicalType.TIME),
        (pa.duration("s"), LogicalType.DURATION),
        (pa.list_(pa.int8()), LogicalType.ANY),
    ],
    ids=str,
)
def test_an_arrow_type_has_a_family(arrow: Any, family: LogicalType) -> None:
    assert logical_type(arrow) is family
