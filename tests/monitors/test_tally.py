"""Tallies: sums that merge by addition, and are those of pandas."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from functools import reduce
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate_contracts.batch import Window
from tidegate_monitors.cohort import Cohort
from tidegate_monitors.tally import OTHERS, SLICES_MAXIMUM, WIDTH, Rows, Sum, Tally, stack

EDGES = (0.25, 0.5, 0.75)
absent = st.sampled_from([math.nan, math.inf, -math.inf])
predictions = st.floats(0, 1) | st.sampled_from([0.0, *EDGES, 1.0]) | absent
labels = st.sampled_from([0.0, 1.0, math.nan, math.inf])
row = st.tuples(
    predictions, labels, st.booleans(), st.sampled_from("abc"), st.sampled_from(["x", "y"]), st.booleans(), predictions
)
COLUMNS = ["prediction", "label", "settled", "letter", "sign", "call", "simple"]


def frame_of(rows: list[Any]) -> pd.DataFrame:
    kinds = dict.fromkeys(("prediction", "label", "simple"), float) | dict.fromkeys(("settled", "call"), bool)
    return pd.DataFrame(rows, columns=COLUMNS).astype(kinds)


frames = st.lists(row, max_size=50).map(frame_of)


def rows_of(frame: pd.DataFrame) -> Rows:
    return Rows(
        frame["prediction"].to_numpy(),
        frame["label"].to_numpy(),
        frame["settled"].to_numpy(),
        {"letter": frame["letter"].to_numpy(dtype=object), "sign": frame["sign"].to_numpy(dtype=object)},
        frame["call"].to_numpy(),
        None,
        frame["simple"].to_numpy(),
    )


def tally_of(frame: pd.DataFrame) -> Tally:
    return Tally.of(rows_of(frame), EDGES)


def by_pandas(frame: pd.DataFrame) -> pd.DataFrame:
    """The sums of each bucket, a column a sum."""
    kept = frame[np.isfinite(frame["prediction"])]
    bucket = pd.cut(kept["prediction"], [-np.inf, *EDGES, np.inf], labels=False)
    both = np.isfinite(kept["label"])
    p, y = kept["prediction"].where(both, 0.0), kept["label"].where(both, 0.0)
    simple = kept["simple"].where(both & np.isfinite(kept["simple"]), 0.0)
    wanted = {
        Sum.ROWS: p * 0 + 1, Sum.SETTLED: kept["settled"], Sum.SCORED: kept["prediction"], Sum.N: both, Sum.P: p,
        Sum.Y: y, Sum.PP: p**2, Sum.YY: y**2, Sum.PY: p * y, Sum.ERROR: (p - y).abs(), Sum.CALLS: kept["call"] & both,
        Sum.HITS: y * kept["call"], Sum.RAW: p, Sum.SIMPLE: simple, Sum.SIMPLE_SQUARED: (simple - y) ** 2,
        Sum.DIFFERENCE: p - y, Sum.SQUARED: (p - y) ** 2,
    }  # fmt: skip
    table = pd.DataFrame({int(name): values.astype(float) for name, values in wanted.items()})
    return table.groupby(bucket).sum().reindex(range(len(EDGES) + 1), fill_value=0.0)


def near(one: Tally, other: Tally) -> bool:
    return one.names == other.names and bool(np.allclose(one.table, other.table, rtol=0, atol=1e-9))


@settings(max_examples=15)
@given(frames)
def test_sums_are_those_of_pandas_by_bucket_and_slice(frame: pd.DataFrame) -> None:
    found = tally_of(frame)
    kept = frame[np.isfinite(frame["prediction"])]
    parts = {f"{by}={value}": part for by in ("letter", "sign") for value, part in kept.groupby(by)}
    assert found.names == tuple(sorted(parts))
    assert found.table.shape == (len(parts) + 1, 4, WIDTH)
    np.testing.assert_allclose(found.table[0], by_pandas(frame), rtol=0, atol=1e-9)
    for index, name in enumerate(found.names):
        np.testing.assert_allclose(found.table[index + 1], by_pandas(parts[name]), rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.overall, by_pandas(frame).sum(), rtol=0, atol=1e-9)


@settings(max_examples=12)
@given(frames, st.data())
def test_any_split_merged_in_any_order_is_the_whole(frame: pd.DataFrame, data: st.DataObject) -> None:
    part = data.draw(st.lists(st.integers(0, 3), min_size=len(frame), max_size=len(frame)))
    tallies = [tally_of(frame[np.array(part, dtype=int) == number]) for number in range(4)]
    order = data.draw(st.permutations(tallies))
    assert near(reduce(Tally.__add__, order), tally_of(frame))


@settings(max_examples=12)
@given(frames, frames)
def test_addition_commutes_and_no_rows_change_nothing(one: pd.DataFrame, two: pd.DataFrame) -> None:
    a, b = tally_of(one), tally_of(two)
    assert a + b == b + a
    assert a + Tally.empty(4) == a == Tally.empty(4) + a
    assert Tally.empty(4) == tally_of(frame_of([]))


@settings(max_examples=12)
@given(frames)
def test_a_tally_survives_json_to_the_last_bit_and_holds_no_nan(frame: pd.DataFrame) -> None:
    found = tally_of(frame)
    written = json.dumps(found.to_dict(), allow_nan=False)
    assert Tally.from_dict(json.loads(written)) == found


@settings(max_examples=12)
@given(frames)
def test_the_slices_of_a_column_add_up_to_all_rows(frame: pd.DataFrame) -> None:
    found = tally_of(frame)
    for column in ("letter", "sign"):
        mine = [index + 1 for index, name in enumerate(found.names) if name.startswith(f"{column}=")]
        np.testing.assert_allclose(found.table[mine].sum(axis=0), found.table[0], rtol=0, atol=1e-9)


def plain(values: Any, predictions: Any = 0.5) -> Rows:
    size = len(values)
    ones = np.ones(size)
    return Rows(ones * predictions, ones, ones > 0, {"of": np.asarray(values, dtype=object)}, ones > 0)


def test_the_commonest_values_have_a_slice_of_their_own_and_the_rest_share_one() -> None:
    values = [f"v{number:02}" for number in range(40) for _ in range(50 - number)]
    found = Tally.of(plain(values), ())
    assert len(found.names) == SLICES_MAXIMUM + 1
    assert set(found.names) == {f"of=v{number:02}" for number in range(SLICES_MAXIMUM)} | {f"of={OTHERS}"}
    place = found.names.index(f"of={OTHERS}") + 1
    assert found.table[place, 0, Sum.ROWS] == sum(50 - number for number in range(32, 40))
    assert found.table[1:, 0, Sum.ROWS].sum() == len(values)


def test_which_values_have_a_slice_of_their_own_does_not_hang_on_the_order_of_rows() -> None:
    values = [f"v{number:02}" for number in range(40)]  # all as common: the first by name
    assert Tally.of(plain(values), ()) == Tally.of(plain(values[::-1]), ())
    assert "of=v31" in Tally.of(plain(values), ()).names
    assert "of=v32" not in Tally.of(plain(values), ()).names


def test_values_that_are_known_beforehand_are_the_slices_of_every_batch() -> None:
    known = {"of": ("a", "b")}
    one, two = Tally.of(plain(list("aabccd")), (), known), Tally.of(plain(list("bcz")), (), known)
    assert one.names == (f"of={OTHERS}", "of=a", "of=b")
    assert (one + two).table[1:, 0, Sum.ROWS].tolist() == [5, 2, 2]
    assert near(one + two, Tally.of(plain(list("aabccdbcz")), (), known))


@pytest.mark.parametrize("known", [None, {"of": (OTHERS, "v1")}])
def test_a_value_that_is_called_as_the_rest_is_counted_once_with_the_rest(known: Any) -> None:
    values = [OTHERS] * 30 + [f"v{number}" for number in range(40)]
    found = Tally.of(plain(values), (), known)
    assert len(set(found.names)) == len(found.names)
    merged = found + Tally.empty(1)
    assert merged == found
    assert merged.table[1:, 0, Sum.ROWS].sum() == 70


def test_an_edge_belongs_to_the_bucket_below_it() -> None:
    found = Tally.of(plain(list("abcd"), np.array([0.25, np.nextafter(0.25, 1), -5.0, 7.0])), EDGES)
    assert found.table[0, :, Sum.ROWS].tolist() == [2, 1, 0, 1]


def test_a_row_without_a_prediction_counts_nowhere_and_one_without_a_label_as_a_row_alone() -> None:
    nan = math.nan
    rows = Rows(
        np.array([nan, 0.4, 0.6]), np.array([1.0, nan, 1.0]), np.array([True, True, True]),
        {"of": np.array(["a", "b", "b"], dtype=object)}, np.array([True, True, True]), np.array([nan, 3.0, 4.0]),
    )  # fmt: skip
    found = Tally.of(rows, EDGES)
    assert found.names == ("of=b",)
    told = {name.name: found.overall[name] for name in Sum}
    assert (told["ROWS"], told["SETTLED"], told["SCORED"], told["N"]) == (2, 2, 1.0, 1)
    assert (told["P"], told["Y"], told["CALLS"], told["HITS"], told["RAW"]) == (0.6, 1, 1, 1, 4.0)
    assert (told["SIMPLE"], told["SIMPLE_SQUARED"]) == (0, 1)


@pytest.mark.parametrize("huge", [1.7e308, -1.7e308, 1e151])
def test_numbers_too_large_to_be_summed_are_missing_and_no_sum_is_infinite(huge: float) -> None:
    fine, odd = np.array([0.5, 0.25, 0.75]), np.array([0.5, huge, 0.75])
    on = np.array([True, True, True])
    for place in range(4):
        columns = [odd if place == index else fine for index in range(4)]
        rows = Rows(columns[0], columns[1], on, {}, on, columns[2], columns[3])
        found = Tally.of(rows, EDGES)
        json.dumps(found.to_dict(), allow_nan=False)
        assert np.abs(found.table).max() <= 3
        assert found.overall[Sum.N] == (2 if place < 2 else 3)
    largest = Tally.of(Rows(fine * 0 - 1e60, fine * 0 + 1e60, on, {}, on), ())
    assert np.isfinite(largest.overall**2).all()
    assert np.isfinite(largest.overall[[Sum.P, Sum.Y, Sum.DIFFERENCE]] ** 4).all()


def test_differences_of_labels_far_from_zero_are_not_lost() -> None:
    rng = np.random.default_rng(1)
    label = 1e9 + rng.normal(size=300)
    prediction = label + 5 + rng.normal(size=300)
    sums = Tally.of(Rows(prediction, label, label > 0, {}, label > 0), ()).overall
    assert sums[Sum.DIFFERENCE] == pytest.approx((prediction - label).sum(), rel=1e-9)
    assert sums[Sum.SQUARED] == pytest.approx(((prediction - label) ** 2).sum(), rel=1e-9)


def test_stacked_tallies_stand_under_one_another_slice_by_slice() -> None:
    names, table = stack([Tally.of(plain(list("ab")), ()), Tally.of(plain(list("bcc")), ())])
    assert names == ("of=a", "of=b", "of=c")
    assert table[:, :, 0, Sum.ROWS].tolist() == [[2, 1, 1, 0], [3, 0, 1, 2]]
    names, table = stack([])
    assert (names, table.shape) == ((), (0, 1, 1, WIDTH))


@pytest.mark.parametrize("window", [None, Window(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC))])
def test_a_cohort_survives_json(window: Window | None) -> None:
    tallies = {name: Tally.of(plain(list("abb")), EDGES) for name in ("no", "yes", "maybe")}
    made = Cohort(
        "d1", window, 4, 3, 3, 1, EDGES, MappingProxyType(tallies), ((1, 0, 0), (0, 2, 0), (0, 0, 0)),
        MappingProxyType({"m1": 4}), datetime(2024, 1, 2, 0, 0, 0, 1, tzinfo=UTC),
    )  # fmt: skip
    read = Cohort.from_dict(json.loads(json.dumps(made.to_dict(), allow_nan=False)))
    assert read == made
    assert (read.classes, read.settled_share) == (("no", "yes", "maybe"), 0.75)
