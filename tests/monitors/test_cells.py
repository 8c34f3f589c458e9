"""Every value has one cell, the same one for ever; what is heavy has a cell of its own."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate_monitors.cells import (
    BROAD_CELLS,
    COARSE_BINS,
    FINE_BINS,
    KEPT_MINIMUM,
    KNOWN_MAXIMUM,
    Cells,
    Kind,
    Sketch,
    category_counts,
    finite,
)
from tidegate_monitors.local_hours import LocalHours
from tidegate_monitors.reading import Reading

ZONES = ["UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Chatham"]

usual = st.floats(-1e12, 1e12) | st.integers(-5, 5).map(float)
any_number = st.floats(allow_nan=True, allow_infinity=True)


def _column(values: list[Any], kind: Any) -> Any:
    return pa.chunked_array([pa.array(values, kind)])


def _numbers(values: Any) -> Any:
    return _column(list(values), pa.float64())


def _counts(cells: Cells, values: Any) -> Any:
    """The rows in each cell, as a profile has them."""
    return np.array(Reading.of(values, cells).profile.counts, dtype=np.int64)


def _cells_of(values: list[float]) -> Cells:
    return Sketch.of_numbers(_numbers(values)).numeric_cells()


@given(st.lists(usual, max_size=60), st.lists(any_number | st.none(), max_size=60))
def test_every_finite_number_is_in_exactly_one_cell(reference: list[float], current: list[float | None]) -> None:
    cells = _cells_of(reference)
    found = [number for number in current if number is not None and math.isfinite(number)]
    counts = _counts(cells, _numbers(current))
    assert counts.shape == (cells.size,)
    assert counts.sum() == len(found)
    bounds = [-math.inf, *cells.edges, math.inf]
    for cell, count in enumerate(counts):
        assert count == sum(bounds[cell] < number <= bounds[cell + 1] for number in found)


@given(st.lists(usual, min_size=1, max_size=60))
def test_edges_ascend_and_reach_beyond_the_reference_on_both_sides(reference: list[float]) -> None:
    cells = _cells_of(reference)
    assert list(cells.edges) == sorted(set(cells.edges))
    assert cells.edges[0] < min(reference)
    assert max(reference) < cells.edges[-1]
    counts = _counts(cells, _numbers([*reference, -math.nextafter(math.inf, 0), math.nextafter(math.inf, 0)]))
    assert counts[0] == counts[-1] == 1


@given(st.integers(0, 2**32), usual, st.floats(2 / FINE_BINS, 0.9), st.integers(500, 2500))
def test_an_atom_has_a_cell_of_its_own(seed: int, atom: float, share: float, rows: int) -> None:
    rng = np.random.default_rng(seed)
    heavy = math.ceil(share * rows)
    scale = max(abs(atom), 1.0)
    others = atom + scale * rng.standard_normal(rows - heavy)
    cells = _cells_of([atom] * heavy + others.tolist())
    own = int(np.flatnonzero(_counts(cells, _numbers([atom])))[0])
    assert _counts(cells, _numbers(others[others != atom]))[own] == 0
    assert _counts(cells, _numbers([math.nextafter(atom, -math.inf), math.nextafter(atom, math.inf)]))[own] == 0


@given(st.integers(0, 2**32), usual, st.floats(2 / COARSE_BINS, 0.9))
def test_a_heavier_atom_has_a_coarse_cell_of_its_own(seed: int, atom: float, share: float) -> None:
    rows = 1500
    heavy = math.ceil(share * rows)
    others = atom + max(abs(atom), 1.0) * np.random.default_rng(seed).standard_normal(rows - heavy)
    cells = _cells_of([atom] * heavy + others.tolist())
    own = int(np.flatnonzero(cells.coarsen(_counts(cells, _numbers([atom]))))[0])
    assert cells.coarsen(_counts(cells, _numbers(others[others != atom])))[own] == 0


@given(st.lists(usual, min_size=1, max_size=300))
def test_broad_cells_and_halves_part_the_reference_about_evenly(reference: list[float]) -> None:
    cells = _cells_of(reference)
    broad = np.add.reduceat(_counts(cells, _numbers(reference)), cells.broad)
    assert 1 <= broad.size <= BROAD_CELLS
    assert cells.upper == 0 or 0 < (np.array(reference) > cells.edges[cells.upper - 1]).sum() < len(reference)
    reading = Reading.of(_numbers(reference), cells, coded=True)
    assert reading.broad is not None
    assert np.bincount(reading.broad, minlength=broad.size)[: broad.size].tolist() == broad.tolist()
    if len(set(reference)) == len(reference) >= 32:  # without atoms no broad cell is much heavier than its share
        assert broad.max() / len(reference) <= 2 / broad.size


@given(st.lists(usual, max_size=300), st.integers(0, 2**32), st.integers(1, 4))
def test_coarsening_keeps_totals_and_order(reference: list[float], seed: int, blocks: int) -> None:
    cells = _cells_of(reference)
    counts = np.random.default_rng(seed).integers(0, 100, (blocks, cells.size))
    coarse = cells.coarsen(counts)
    assert coarse.shape == (blocks, len(cells.coarse))
    assert (coarse.sum(axis=-1) == counts.sum(axis=-1)).all()
    assert cells.coarse[0] == 0
    assert list(cells.coarse) == sorted(set(cells.coarse))
    ends = [*cells.coarse[1:], cells.size]
    for cell, (start, end) in enumerate(zip(cells.coarse, ends, strict=True)):
        assert (coarse[:, cell] == counts[:, start:end].sum(axis=-1)).all()


def test_cells_without_a_coarse_layer_stay_as_they_are() -> None:
    counts = np.arange(24)
    assert (Cells(Kind.HOUR).coarsen(counts) == counts).all()


def test_cells_of_a_spread_out_column_hold_about_the_same_number_of_rows() -> None:
    values = np.random.default_rng(5).lognormal(0, 2, 20_000)
    cells = _cells_of(values.tolist())
    share = _counts(cells, _numbers(values)) / values.size
    assert share.max() < 2.5 / FINE_BINS
    assert cells.coarsen(share).max() < 2.5 / COARSE_BINS
    assert len(cells.coarse) >= COARSE_BINS


@given(st.lists(st.lists(usual, min_size=1, max_size=40), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_cells_do_not_depend_on_the_order_of_the_blocks(blocks: list[list[float]], random: Any) -> None:
    def merged(parts: list[list[float]]) -> Cells:
        return sum((Sketch.of_numbers(_numbers(part)) for part in parts), Sketch()).numeric_cells()

    shuffled = list(blocks)
    random.shuffle(shuffled)
    one, other = merged(blocks), merged(shuffled)
    assert one.edges[0] == other.edges[0]
    assert one.edges[-1] == other.edges[-1]
    everything = _numbers([number for part in blocks for number in part])
    assert _counts(one, everything).sum() == _counts(other, everything).sum() == len(everything)


def test_a_column_without_numbers_has_one_cell() -> None:
    cells = _cells_of([math.nan, math.inf])
    assert cells.size == 1
    assert cells.coarsen(_counts(cells, _numbers([1.0, -1e300]))).tolist() == [2]


@pytest.mark.parametrize("values", [[1.7e308, -1.7e308, 0.0], [1e306, 0.0], [5e-324, 0.0]], ids=str)
def test_the_largest_and_smallest_floats_have_cells_too(values: list[float]) -> None:
    cells = _cells_of(values)
    assert np.isfinite(cells.edges).all()
    assert len({int(_counts(cells, _numbers([number])).argmax()) for number in values}) == len(values)


@given(st.lists(any_number | st.none(), max_size=40))
def test_finite_leaves_out_what_is_missing_or_infinite(values: list[float | None]) -> None:
    assert finite(_numbers(values)).tolist() == [x for x in values if x is not None and math.isfinite(x)]


names = st.text(min_size=1, max_size=4)


@given(
    st.dictionaries(names, st.integers(1, 3 * KEPT_MINIMUM), max_size=6),
    st.dictionaries(names, st.integers(1, 50), max_size=6),
    st.integers(0, 3),
)
def test_known_categories_have_their_cells_and_unseen_ones_land_in_the_last(
    reference: dict[str, int], current: dict[str, int], missing: int
) -> None:
    cells = Sketch.of_categories(_spelt(reference)).category_cells()
    heavy = sorted(name for name, rows in reference.items() if rows >= KEPT_MINIMUM)
    assert list(cells.kept) == heavy
    assert set(cells.kept) | set(cells.pooled) == reference.keys()
    counts = _counts(cells, _spelt(current, missing))
    assert counts[: len(heavy)].tolist() == [current.get(name, 0) for name in heavy]
    assert counts[-2] == sum(rows for name, rows in current.items() if name in cells.pooled)
    assert counts[-1] == sum(rows for name, rows in current.items() if name not in reference)
    assert counts.sum() == sum(current.values())


def _spelt(counts: dict[str, int], missing: int = 0) -> Any:
    rows = [name for name, number in counts.items() for _ in range(number)]
    return _column([*rows, *[None] * missing], pa.string())


@given(st.lists(st.dictionaries(names, st.integers(1, 200), max_size=5), min_size=1, max_size=4))
def test_category_cells_of_merged_blocks_are_those_of_all_rows(blocks: list[dict[str, int]]) -> None:
    merged = sum((Sketch.of_categories(_spelt(block)) for block in blocks), Sketch())
    everything = pa.chunked_array([chunk for block in blocks for chunk in _spelt(block).chunks])
    assert merged.category_cells() == Sketch.of_categories(everything).category_cells()


@pytest.mark.parametrize(("distinct", "kind"), [(KNOWN_MAXIMUM, Kind.CATEGORY), (KNOWN_MAXIMUM + 1, Kind.NONE)])
def test_a_column_with_too_many_categories_is_an_identifier(distinct: int, kind: Kind) -> None:
    values = [f"id {number}" for number in range(distinct)]
    half = distinct // 2
    parts = [Sketch.of_categories(_column(part, pa.string())) for part in (values[:half], values[half:])]
    cells = sum(parts, Sketch()).category_cells()
    assert cells.kind is kind
    assert _counts(cells, _column(values, pa.string())).sum() == (distinct if kind is Kind.CATEGORY else 0)


def test_category_counts_read_flags_and_dictionaries_as_text() -> None:
    assert category_counts(_column([True, None, True, False], pa.bool_())) == {"True": 2, "False": 1}
    assert category_counts(_column(["a", "b", "a", None], pa.string()).dictionary_encode()) == {"a": 2, "b": 1}


def _hour(moment: datetime, zone: str) -> int:
    column = _column([moment], pa.timestamp("us", "UTC"))
    return int(np.flatnonzero(_counts(Cells(Kind.HOUR, zone=zone), column))[0])


@given(st.integers(0, 2**31), st.sampled_from(ZONES))
def test_an_hour_is_read_in_its_time_zone(seconds: int, zone: str) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    assert _hour(moment, zone) == moment.astimezone(ZoneInfo(zone)).hour


@pytest.mark.parametrize(
    ("utc", "local"),
    [
        ("2013-03-10T06:30", 1),  # the last hour before clocks go forward
        ("2013-03-10T07:30", 3),
        ("2013-11-03T05:30", 1),
        ("2013-11-03T06:30", 1),  # the hour that comes twice
        ("2013-11-03T07:30", 2),
    ],
)
def test_hours_follow_daylight_saving_time_in_new_york(utc: str, local: int) -> None:
    assert _hour(datetime.fromisoformat(utc).replace(tzinfo=UTC), "America/New_York") == local


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_hours_do_not_depend_on_the_unit_or_the_zone_of_storage(unit: str) -> None:
    moments = [datetime(2013, 7, 1, hour, 59, tzinfo=UTC) for hour in range(24)]
    cells = Cells(Kind.HOUR, zone="America/New_York")
    stored = [_column(moments, pa.timestamp(unit, zone)) for zone in ("UTC", "Asia/Tokyo")]
    assert [_counts(cells, column[:1]).argmax() for column in stored] == [20, 20]
    assert all((_counts(cells, column) == 1).all() for column in stored)


@given(st.lists(st.integers(-(2**33), 2**31), max_size=20), st.sampled_from(ZONES))
def test_hours_and_weekdays_are_those_of_the_calendar_however_far_apart(seconds: list[int], zone: str) -> None:
    column = _column([datetime.fromtimestamp(second, UTC) for second in seconds], pa.timestamp("us", "UTC"))
    found = LocalHours.of(column, zone)
    local = [datetime.fromtimestamp(second, ZoneInfo(zone)) for second in seconds]
    late = [place for place, moment in enumerate(local) if moment.year >= 1972]  # offsets were odd before
    assert found.hour[late].tolist() == [local[place].hour for place in late]
    assert found.weekday[late].tolist() == [local[place].weekday() for place in late]


def test_naive_times_are_read_as_they_stand() -> None:
    column = _column([datetime.fromisoformat("2013-07-01T05:00"), None], pa.timestamp("us"))
    assert _counts(Cells(Kind.HOUR, zone="America/New_York"), column).tolist() == [0] * 5 + [1] + [0] * 18


@given(st.lists(usual, max_size=50), st.dictionaries(names, st.integers(1, 200), max_size=5), st.sampled_from(ZONES))
def test_cells_survive_json(numbers: list[float], categories: dict[str, int], zone: str) -> None:
    kinds = [
        _cells_of(numbers),
        Sketch.of_categories(_spelt(categories)).category_cells(),
        Cells(Kind.HOUR, zone=zone),
        Cells(Kind.NONE),
    ]
    for cells in kinds:
        assert Cells.from_dict(json.loads(json.dumps(cells.to_dict(), allow_nan=False))) == cells
