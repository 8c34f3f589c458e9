"""Profiles are a commutative monoid: whatever a batch is cut into, its parts add up to the whole."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

import tidegate as tg
from tidegate_contracts.batch import Batch, Source
from tidegate_monitors.cells import Cells, Kind
from tidegate_monitors.fingerprint import Fingerprint
from tidegate_monitors.hashing import of_column
from tidegate_monitors.layout import Layout
from tidegate_monitors.moments import Moments
from tidegate_monitors.ordered import Ordered
from tidegate_monitors.profile import ColumnProfile, Profile, missing_share
from tidegate_monitors.registers import Registers

LAYOUT = Layout(
    MappingProxyType(
        {
            "number": Cells(
                Kind.NUMERIC,
                edges=(-100.0, -1.0, math.nextafter(0, -1), 0.0, 1.0, 100.0),
                coarse=(0, 3),
                broad=(0, 2, 4),
                upper=4,
            ),
            "whole": Cells(Kind.NUMERIC, edges=(-5.0, 0.0, 5.0), broad=(0, 2), upper=2),
            "text": Cells(Kind.CATEGORY, kept=("a", "b"), pooled=("c",), broad=(0, 1, 2), upper=1),
            "time": Cells(Kind.HOUR, broad=tuple(range(0, 24, 3)), upper=12, zone="America/New_York"),
            "flag": Cells(Kind.CATEGORY, kept=("False", "True"), broad=(0, 1), upper=1),
            "name": Cells(Kind.NONE),
        }
    ),
    slices=MappingProxyType({"text": ("a", "b"), "flag": ("True",)}),
    orders=(("number", "whole"),),
    joint=("number", "whole", "text", "time"),
    key=("name",),
)

few = settings(max_examples=30)

_TYPES = {
    "number": pa.float64(),
    "whole": pa.int64(),
    "text": pa.string(),
    "time": pa.timestamp("us", "UTC"),
    "flag": pa.bool_(),
    "name": pa.string(),
}
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "number": st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf, -math.inf, 0.0, 1e-300]),
    "whole": st.integers(-(2**63), 2**63 - 1) | st.integers(-6, 6),
    "text": st.sampled_from(["a", "b", "c", "d", "", "ä", "null"]),
    "time": st.integers(0, 2**53).map(lambda micros: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)),
    "flag": st.booleans(),
    "name": st.text(max_size=3),
}


def _table(rows: list[dict[str, Any]]) -> Any:
    return pa.table({name: pa.array([row[name] for row in rows], kind) for name, kind in _TYPES.items()})


def tables(*, least: int = 0, nullable: bool = True) -> st.SearchStrategy[Any]:
    """Tables with a column of each kind; numbers may be NaN or infinite, anything may be missing."""
    values = {name: item | st.none() if nullable else item for name, item in _VALUES.items()}
    return st.lists(st.fixed_dictionaries(values), min_size=least, max_size=8).map(_table)


def _parts(table: Any, cut: float) -> tuple[Any, Any]:
    place = int(cut * table.num_rows)
    return table.slice(0, place), table.slice(place)


def _close(one: Moments, other: Moments, scale: float) -> bool:
    return (
        one.n == other.n
        and math.isclose(one.mean, other.mean, rel_tol=1e-9, abs_tol=1e-12 * scale)
        and math.isclose(one.m2, other.m2, rel_tol=1e-9, abs_tol=1e-9 * scale**2)
    )


def _assert_same(one: Profile, other: Profile, *, fingerprint: bool = True) -> None:
    """Counts exactly, moments to rounding; the fingerprint where it is asked for."""
    bare = {"moments": Moments(), "log_moments": Moments()}
    assert one.columns.keys() == other.columns.keys()
    for name, left in one.columns.items():
        right = other.columns[name]
        assert replace(left, **bare) == replace(right, **bare), name
        assert _close(left.moments, right.moments, max(abs(left.low or 0.0), abs(left.high or 0.0))), name
        assert _close(left.log_moments, right.log_moments, 1000.0), name
    assert (one.layout, one.rows) == (other.layout, other.rows)
    assert one.fingerprint == other.fingerprint or not fingerprint
    assert (one.sample, one.slices, one.orders, one.joint) == (other.sample, other.slices, other.orders, other.joint)


@given(tables(), st.floats(0, 1))
def test_profile_of_parts_adds_up_to_the_whole(table: Any, cut: float) -> None:
    first, second = (Profile.of(part, LAYOUT) for part in _parts(table, cut))
    _assert_same(first + second, Profile.of(table, LAYOUT), fingerprint=False)


@given(tables())
def test_profile_without_rows_changes_nothing(table: Any) -> None:
    profile = Profile.of(table, LAYOUT)
    assert profile + Profile.empty(LAYOUT) == profile
    assert Profile.empty(LAYOUT) + profile == profile
    assert Profile.of(table.slice(0, 0), LAYOUT) == Profile.empty(LAYOUT)


@few
@given(tables(), tables(), tables())
def test_it_does_not_matter_which_parts_are_added_first(one: Any, two: Any, three: Any) -> None:
    a, b, c = (Profile.of(table, LAYOUT) for table in (one, two, three))
    _assert_same((a + b) + c, a + (b + c))


@given(tables(), tables())
def test_it_does_not_matter_which_part_comes_first(one: Any, two: Any) -> None:
    a, b = Profile.of(one, LAYOUT), Profile.of(two, LAYOUT)
    _assert_same(a + b, b + a)


def test_profiles_on_cells_of_real_batches_add_up(
    contract: tg.Contract, make_orders: Callable[..., pd.DataFrame]
) -> None:
    tables = [pa.Table.from_pandas(make_orders(day), preserve_index=False) for day in range(8)]
    layout = Layout.of((Batch("orders", "b", Source("b", "", "", 0), table, table) for table in tables), contract)
    whole = pa.concat_tables(tables)
    parts = sum((Profile.of(table, layout) for table in tables), Profile.empty(layout))
    _assert_same(parts, Profile.of(whole, layout))


@given(tables())
def test_a_profile_counts_what_pandas_counts(table: Any) -> None:
    columns, frame = Profile.of(table, LAYOUT).columns, table.to_pandas()
    numbers = frame["number"]
    finite = numbers[np.isfinite(numbers)]
    found = columns["number"]
    assert {name: column.missing for name, column in columns.items()} == dict(frame.isna().sum())
    assert found.non_finite == int(np.isinf(numbers).sum())
    assert found.zeros == int((numbers == 0).sum())
    assert (found.low, found.high) == ((finite.min(), finite.max()) if len(finite) else (None, None))
    assert sum(found.counts) == found.moments.n == len(finite)
    assert found.log_moments.n == len(finite) - found.zeros
    assert found.present == found.rows - found.missing == sum(found.counts) + found.non_finite


@given(tables(least=1))
def test_slices_orders_and_halves_are_those_of_pandas(table: Any) -> None:
    found, frame = Profile.of(table, LAYOUT), table.to_pandas()
    text, flag = frame["text"].astype(object), frame["flag"].astype(object)
    by = {
        "text": [text == "a", text == "b", text.notna() & ~text.isin(["a", "b"]), text.isna()],
        "flag": [flag.eq(True), flag.eq(False), flag.isna()],
    }
    for name, parts in by.items():
        assert found.slices[name].rows == tuple(int(part.sum()) for part in parts)
        cells = found.slices[name].cells["number"]
        gone = ~np.isfinite(frame["number"].astype(float))
        assert [row[-1] for row in cells] == [int((part & gone).sum()) for part in parts]
        assert [sum(row) for row in cells] == list(found.slices[name].rows)
    one, other = frame["number"], table.column("whole").cast(pa.float64(), safe=False).to_pandas()
    assert found.orders == ((int((one < other).sum()), int((one == other).sum()), int((one > other).sum())),)
    high, low = [one > 0.0, other > 0], [one <= 0.0, other <= 0]
    assert found.joint.tables[0] == tuple(
        int((a & b).sum()) for a, b in [(high[0], high[1]), (high[0], low[1]), (low[0], high[1]), (low[0], low[1])]
    )
    assert sum(found.joint.leaves) == len(frame)


@given(tables(least=1))
def test_distinct_values_and_buckets_are_counted(table: Any) -> None:
    for name, column in Profile.of(table, LAYOUT).columns.items():
        known = len(set(table.column(name).to_pandas().dropna()))
        assert min(known, 1) <= column.distinct <= known  # two of few may share a register
        assert sum(column.buckets) == (column.present if column.buckets else 0)


@pytest.mark.parametrize("distinct", [1, 40, 1000, 60_000])
def test_many_distinct_values_are_estimated_within_a_fifth(distinct: int) -> None:
    values = np.random.default_rng(distinct).permutation(np.arange(120_000.0) % distinct)
    profile = Profile.of(pa.table({"number": values}), LAYOUT).columns["number"]
    assert profile.distinct == pytest.approx(distinct, rel=0.2)  # three standard errors


@pytest.mark.parametrize("distinct", [3, 500, 20_000])
@pytest.mark.parametrize("name", ["number", "whole"])
def test_few_different_numbers_are_told_as_they_are_row_by_row(name: str, distinct: int) -> None:
    values = np.random.default_rng(distinct).integers(-distinct, distinct, 40_000)
    column = pa.chunked_array([pa.array(values, _TYPES[name])])
    found, hashes = Profile.of(pa.table({name: column}), LAYOUT).columns[name], of_column(column)
    assert found.registers == Registers.of(hashes) == Registers.of(np.unique(hashes)[::-1])
    assert list(found.buckets) == np.bincount((hashes >> np.uint64(58)).astype(np.int64), minlength=64).tolist()


def test_a_large_table_is_profiled_in_parts_as_it_is_at_once() -> None:
    rng = np.random.default_rng(70)
    rows = 150_000
    names = rng.integers(0, 100_000, rows)
    table = pa.table(
        {
            "number": np.where(rng.random(rows) < 0.01, np.nan, rng.standard_normal(rows)),
            "whole": rng.integers(-9, 9, rows),
            "text": pa.array(np.array(["a", "b", "c", "d"])[rng.integers(0, 4, rows)]),
            "time": pa.array(np.sort(rng.integers(0, 2**50, rows)), pa.timestamp("us", "UTC")),
            "name": pa.array([f"k{name}" for name in names]),
        }
    )
    cuts = [0, 50_000, 90_000, rows]
    parts = (table.slice(one, other - one) for one, other in pairwise(cuts))
    _assert_same(Profile.of(table, LAYOUT), sum((Profile.of(part, LAYOUT) for part in parts), Profile.empty(LAYOUT)))


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from([0.0, -0.0, 1e-300, -1e300])))
def test_logarithms_are_those_of_numpy_to_seven_digits(values: list[float]) -> None:
    numbers = np.array(values, dtype=np.float64)
    found = np.sort(Ordered.of(numbers).logarithms())
    wanted = np.sort(np.log(np.abs(numbers[np.isfinite(numbers) & (numbers != 0)])))
    assert found == pytest.approx(wanted, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("shared", [0.0, 0.3, 1.0])
def test_the_share_of_keys_that_come_again_is_estimated(shared: float) -> None:
    first = [f"k{number}" for number in range(20_000)]
    second = [f"k{number}" for number in range(round(20_000 * (1 - shared)), round(20_000 * (2 - shared)))]
    one, other = (Profile.of(pa.table({"name": keys}), LAYOUT).sample for keys in (second, first))
    share, sampled = one.share_in(other)
    assert sampled > 50
    assert share == pytest.approx(shared, abs=0.12)  # three standard errors of 128 rows or more


@given(tables(least=1))
def test_a_batch_has_the_same_profile_whatever_it_comes_in(table: Any) -> None:
    import polars as pl
    import pyarrow.parquet as pq

    file = pa.BufferOutputStream()
    pq.write_table(table, file, row_group_size=3)
    polars, stored = pl.from_arrow(table), pq.read_table(pa.BufferReader(file.getvalue()))
    assert isinstance(polars, pl.DataFrame)
    wanted = Profile.of(table, LAYOUT)
    for other in (polars.to_arrow(), stored, table.combine_chunks()):
        assert Profile.of(other, LAYOUT) == wanted


@given(tables(least=1))
def test_moments_are_those_of_numpy(table: Any) -> None:
    numbers = table.column("number").drop_null().to_numpy()
    finite = numbers[np.isfinite(numbers)]
    assume(finite.size)
    moments = Profile.of(table, LAYOUT).columns["number"].moments
    scale = float(np.abs(finite).max())
    assert moments.mean == pytest.approx(np.mean(finite), rel=1e-9, abs=1e-12 * scale)
    assert moments.sd == pytest.approx(np.std(finite), rel=1e-6, abs=1e-6 * scale)


@given(tables())
def test_cells_of_times_categories_and_flags_hold_every_present_row(table: Any) -> None:
    for name in ("text", "time", "flag"):
        column = Profile.of(table, LAYOUT).columns[name]
        assert sum(column.counts) == column.present


@given(tables())
def test_a_profile_survives_json(table: Any) -> None:
    profile = Profile.of(table, LAYOUT)
    assert Profile.from_dict(json.loads(json.dumps(profile.to_dict(), allow_nan=False))) == profile


def test_a_layout_survives_json() -> None:
    again = Layout.from_dict(json.loads(json.dumps(LAYOUT.to_dict(), allow_nan=False)))
    assert again == LAYOUT
    assert again.sha256 == LAYOUT.sha256


def test_a_profile_of_a_newer_format_is_refused() -> None:
    written = Profile.empty(LAYOUT).to_dict()
    with pytest.raises(ValueError, match="newer"):
        Profile.from_dict(written | {"format": written["format"] + 1})


def test_profiles_of_different_layouts_cannot_be_added() -> None:
    other = Layout(MappingProxyType({**LAYOUT.cells, "text": Cells(Kind.NONE)}))
    with pytest.raises(ValueError, match="different layouts"):
        Profile.empty(LAYOUT) + Profile.empty(other)


@few
@given(table=tables())
@pytest.mark.parametrize("absent", LAYOUT.cells)
def test_a_column_that_is_not_there_is_profiled_as_missing(absent: str, table: Any) -> None:
    whole, without = Profile.of(table, LAYOUT), Profile.of(table.drop_columns([absent]), LAYOUT)
    assert without.columns[absent] == ColumnProfile.empty(LAYOUT.cells[absent], table.num_rows)
    assert {**without.columns, absent: None} == {**whole.columns, absent: None}


@pytest.mark.parametrize("column", LAYOUT.cells)
@pytest.mark.parametrize(
    "strange",
    [pa.array(["x", "y"]), pa.array([1, 2]), pa.array([0.5, math.nan]), pa.array([True, False]), pa.array([[1], [2]])],
    ids=lambda values: str(values.type),
)
def test_a_column_of_a_strange_type_is_profiled_without_complaint(column: str, strange: Any) -> None:
    table = _table([dict.fromkeys(_TYPES)] * 2)
    table = table.set_column(table.column_names.index(column), column, strange)
    found = Profile.of(table, LAYOUT).columns[column]
    assert found.rows == 2
    assert found.missing + sum(found.counts) <= 2
    assert len(found.counts) == LAYOUT.cells[column].size


@few
@given(tables(), st.randoms(use_true_random=False))
def test_a_fingerprint_is_blind_to_the_order_of_rows(table: Any, random: Any) -> None:
    order = list(range(table.num_rows))
    random.shuffle(order)
    shuffled = table.take(pa.array(order, pa.int64()))
    assert Fingerprint.of(shuffled) == Fingerprint.of(table)


@few
@given(tables(), st.floats(0, 1))
def test_a_fingerprint_is_blind_to_chunks_to_dictionaries_and_to_the_order_of_columns(table: Any, cut: float) -> None:
    chunked = pa.concat_tables(_parts(table, cut))
    encoded = chunked.set_column(2, "text", chunked.column("text").dictionary_encode())
    assert Fingerprint.of(encoded.select(encoded.column_names[::-1])) == Fingerprint.of(table)


@few
@given(tables(least=1), st.data())
def test_a_fingerprint_sees_a_changed_value(table: Any, data: st.DataObject) -> None:
    rows = table.to_pylist()
    row, name = data.draw(st.sampled_from(rows)), data.draw(st.sampled_from(list(_TYPES)))
    value = data.draw(_VALUES[name] | st.none())
    assume(value != row[name] and not (pd.isna(value) and pd.isna(row[name])))
    row[name] = value
    assert Fingerprint.of(_table(rows)) != Fingerprint.of(table)


@few
@given(tables(least=1), st.data())
def test_a_fingerprint_sees_a_row_that_was_sent_twice(table: Any, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, table.num_rows - 1))
    assert Fingerprint.of(pa.concat_tables([table, table.slice(place, 1)])) != Fingerprint.of(table)


def test_a_fingerprint_sees_values_that_changed_places_between_rows() -> None:
    table = pa.table({"a": [1, 2], "b": ["x", "y"]})
    swapped = pa.table({"a": [1, 2], "b": ["y", "x"]})
    renamed = pa.table({"a": [1, 2], "c": ["x", "y"]})
    assert len({Fingerprint.of(item) for item in (table, swapped, renamed)}) == 3


@few
@given(tables(nullable=False), st.floats(0, 1))
def test_fingerprints_of_full_parts_add_up_to_the_whole(table: Any, cut: float) -> None:
    first, second = (Fingerprint.of(part) for part in _parts(table, cut))
    assert first + second == Fingerprint.of(table)


@settings(phases=[Phase.explicit, Phase.reuse, Phase.generate])  # shrinking tables takes half a minute
@given(tables(), st.floats(0, 1))
def test_fingerprints_of_parts_with_gaps_add_up_to_the_whole(table: Any, cut: float) -> None:
    first, second = (Fingerprint.of(part) for part in _parts(table, cut))
    assert first + second == Fingerprint.of(table)


def test_a_fingerprint_sees_large_whole_numbers_change_beside_a_missing_one() -> None:
    one, other = (pa.table({"key": pa.array([number, None], pa.int64())}) for number in (2**60, 2**60 + 1))
    assert Fingerprint.of(one) != Fingerprint.of(other)


def test_a_fingerprint_reads_text_beyond_a_nul() -> None:
    one, other = pa.table({"note": ["a\0b", "a\0c"]}), pa.table({"note": ["a\0c", "a\0b"]})
    assert Fingerprint.of(one) == Fingerprint.of(other)
    assert Fingerprint.of(one) != Fingerprint.of(pa.table({"note": ["a\0b", "a\0b"]}))
    assert Fingerprint.of(one.slice(0, 1)) + Fingerprint.of(one.slice(1)) == Fingerprint.of(one)


@few
@given(tables())
def test_a_fingerprint_survives_text(table: Any) -> None:
    found = Fingerprint.of(table)
    assert Fingerprint.parse(str(found)) == found


@given(st.lists(st.sampled_from([1e200, -1e200, 1.7e308, -1.7e308, 1.0]), max_size=6))
def test_moments_stay_finite_however_far_apart_the_parts_lie(values: list[float]) -> None:
    total = sum((Moments.of(np.array([value])) for value in values), Moments())
    assert math.isfinite(total.mean)
    assert math.isfinite(total.m2)


@pytest.mark.parametrize(("missing", "rows", "share"), [(0, 0, 0.0), (0, 4, 0.0), (1, 4, 0.25), (4, 4, 1.0)])
def test_missing_share_is_of_the_rows_delivered(missing: int, rows: int, share: float) -> None:
    assert missing_share(ColumnProfile(rows=rows, missing=missing)) == share
