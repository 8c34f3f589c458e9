"""Prediction bias: mean prediction less mean label of every cell, as pandas has it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from types import MappingProxyType

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_worlds import EDGES, cohorts_of, world

import tidegate as tg
from tidegate_monitors.bias import Bias, biases
from tidegate_monitors.bias_cells import BiasCells, Key
from tidegate_monitors.cohort import Cohort
from tidegate_monitors.scored import Labels, cohort_of
from tidegate_monitors.tally import Sum

row = st.tuples(
    st.integers(0, 6),
    st.floats(0, 1) | st.sampled_from([*EDGES, math.nan]),
    st.sampled_from([0.0, 1.0, math.nan]),
    st.sampled_from(["EWR", "JFK"]),
    st.sampled_from(["AA", "B6", "UA"]),
)
COLUMNS = ["day", "prediction", "label", "origin", "carrier"]
frames = st.lists(row, min_size=1, max_size=60).map(lambda rows: pd.DataFrame(rows, columns=COLUMNS))


def cells_of(frame: pd.DataFrame) -> dict[Key, pd.DataFrame]:
    """The labelled rows of each cell that has some."""
    both = frame.dropna(subset=["prediction", "label"])
    bucket = pd.cut(both["prediction"], [-np.inf, *EDGES, np.inf], labels=False)
    found = {Key(None, None): both} if len(both) else {}
    found |= {Key(None, int(number)): part for number, part in both.groupby(bucket)}
    for by in ("origin", "carrier"):
        found |= {Key(f"{by}={value}", None): part for value, part in both.groupby(by)}
        found |= {Key(f"{by}={value}", int(number)): part for (value, number), part in both.groupby([by, bucket])}
    return found


def by_key(items: Iterable[Bias]) -> dict[Key, Bias]:
    return {Key(item.slice, item.bucket): item for item in items}


def assert_as_pandas(found: dict[Key, Bias], parts: dict[Key, pd.DataFrame]) -> None:
    assert set(found) == set(parts)
    for key, part in parts.items():
        item = found[key]
        assert item.n == len(part)
        assert item.mean_prediction == pytest.approx(part["prediction"].mean(), abs=1e-9)
        assert item.mean_label == pytest.approx(part["label"].mean(), abs=1e-9)
        assert item.bias == pytest.approx((part["prediction"] - part["label"]).mean(), abs=1e-9)


@settings(max_examples=15)
@given(frames, st.booleans())
def test_every_figure_is_pandas(frame: pd.DataFrame, binary: bool) -> None:
    found = biases(cohorts_of(frame), "", binary=binary)
    assert len(by_key(found)) == len(found)
    assert_as_pandas(by_key(found), cells_of(frame))


def test_every_figure_of_a_large_world_is_pandas_and_all_rows_come_first() -> None:
    frame = world(1, 20, everybody=0.02)
    found = biases(cohorts_of(frame), "", binary=True)
    assert_as_pandas(by_key(found), cells_of(frame))
    assert (found[0].slice, found[0].bucket, found[0].outcome) == (None, None, None)
    assert len(found) == 1 + 4 + 7 + 4 * 7


def test_numbers_far_from_zero_lose_nothing_that_matters() -> None:
    frame = world(2, 10)
    frame[["prediction", "label"]] = frame[["prediction", "label"]] * 1000 + 250_000
    found = by_key(biases(cohorts_of(frame, edges=()), "", binary=False))
    part = frame[frame["carrier"] == "UA"]
    item = found[Key("carrier=UA", None)]
    assert item.bias == pytest.approx((part["prediction"] - part["label"]).mean(), abs=1e-6)
    assert item.low is not None
    assert item.low < item.bias < (item.high or -math.inf)


def test_the_interval_of_labels_near_a_billion_is_that_of_their_differences() -> None:
    rng = np.random.default_rng(3)
    frame = world(3, 20)
    frame["label"] = 1e9 + rng.normal(size=len(frame))
    frame["prediction"] = frame["label"] + 5 + rng.normal(size=len(frame))
    far = by_key(biases(cohorts_of(frame, edges=()), "", binary=False))
    frame[["prediction", "label"]] -= 1e9
    near = by_key(biases(cohorts_of(frame, edges=()), "", binary=False))
    for key, item in near.items():
        told = (far[key].bias, far[key].shrunk, far[key].low, far[key].high)
        assert told == pytest.approx((item.bias, item.shrunk, item.low, item.high), abs=1e-5)


@settings(max_examples=10)
@given(frames)
def test_how_rows_are_dealt_to_batches_changes_no_figure_and_every_interval_holds_its_bias(frame: pd.DataFrame) -> None:
    apart = by_key(biases(cohorts_of(frame), "", binary=True))
    together = by_key(biases(cohorts_of(frame.assign(day=0)), "", binary=True))
    assert set(apart) == set(together)
    for key, item in apart.items():
        assert item.bias == pytest.approx(together[key].bias, abs=1e-9)
        for told in (item, together[key]):
            assert told.low is not None
            assert told.high is not None
            assert told.low - 1e-9 <= told.bias <= told.high + 1e-9


@settings(max_examples=10)
@given(frames, st.booleans())
def test_biases_survive_json_without_nan(frame: pd.DataFrame, binary: bool) -> None:
    found = biases(cohorts_of(frame), "", binary=binary)
    written = json.loads(json.dumps([item.to_dict() for item in found], allow_nan=False))
    for item in written:
        assert list(item) == [
            "slice", "bucket", "class", "mean_prediction", "mean_label", "bias", "shrunk", "low", "high", "n",
            "evidence", "minimum_detectable", "score_ratio",
        ]  # fmt: skip
        assert item["n"] > 0


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("days", [1, 2, 6, 20])
def test_a_perfect_model_has_no_bias_anywhere(days: int, binary: bool) -> None:
    frame = world(3, days, rows=40)
    found = biases(cohorts_of(frame.assign(prediction=frame["label"])), "", binary=binary)
    assert {(item.bias, item.shrunk) for item in found} == {(0.0, 0.0)}


def test_a_number_that_is_always_missed_by_the_same_has_that_bias_and_no_negative_spread() -> None:
    frame = world(4, 8, rows=30)
    frame["label"] = np.linspace(1e6, 2e6, len(frame))
    found = biases(cohorts_of(frame.assign(prediction=frame["label"] + 0.1), edges=()), "", binary=False)
    for item in found:
        assert item.bias == pytest.approx(0.1, abs=1e-6)
        assert item.shrunk == pytest.approx(0.1, abs=1e-6)


def test_small_cells_are_shrunk_towards_the_whole_and_raw_values_stay() -> None:
    frame = world(5, 10, rows=300)
    lone = frame.iloc[[0]].assign(carrier="ZZ", label=1.0, prediction=0.05)
    found = by_key(biases(cohorts_of(pd.concat([frame, lone])), "", binary=True))
    whole, small = found[Key(None, None)], found[Key("carrier=ZZ", None)]
    assert small.bias == pytest.approx(-0.95)
    assert abs(small.shrunk - whole.bias) < 0.05
    assert whole.shrunk == whole.bias
    crossed = found[Key("carrier=ZZ", 0)]
    assert abs(crossed.shrunk) < abs(crossed.bias) / 2


def test_a_large_slice_that_is_off_keeps_nearly_all_of_its_bias() -> None:
    found = by_key(biases(cohorts_of(world(6, 28, rows=600, carrier=0.2)), "", binary=True))
    item = found[Key("carrier=UA", None)]
    assert item.bias == pytest.approx(0.2, abs=0.03)
    assert item.shrunk == pytest.approx(item.bias, abs=0.015)


def test_batches_without_labels_and_cells_without_rows_are_not_listed() -> None:
    frame = world(7, 3, rows=50)
    frame.loc[frame["day"] == 1, "label"] = math.nan
    frame.loc[frame["carrier"] == "WN", "label"] = math.nan
    found = by_key(biases(cohorts_of(frame), "", binary=True))
    assert_as_pandas(found, cells_of(frame))
    assert Key("carrier=WN", None) not in found
    assert biases(cohorts_of(frame.assign(label=math.nan)), "", binary=True) == ()


def test_what_a_slice_is_contrasted_with_is_all_others_of_its_batch() -> None:
    frame = world(8, 4, rows=80)
    cells = BiasCells.of(cohorts_of(frame), "")
    place = {key: index for index, key in enumerate(cells.keys)}
    bucket = pd.cut(frame["prediction"], [-np.inf, *EDGES, np.inf], labels=False)
    for day in range(4):
        others = (frame["day"] == day) & (frame["carrier"] != "UA")
        found = cells.rest[day, place[Key("carrier=UA", None)]]
        assert found[Sum.P] == pytest.approx(frame.loc[others, "prediction"].sum(), abs=1e-9)
        found = cells.rest[day, place[Key("carrier=UA", 2)]]
        assert found[Sum.Y] == frame.loc[others & (bucket == 2), "label"].sum()
        assert not cells.rest[day, place[Key(None, 2)]].any()


def test_slices_that_are_asked_for_stand_in_that_order_and_are_empty_where_they_do_not_occur() -> None:
    cells = BiasCells.of(cohorts_of(world(9, 3)), "", ("carrier=UA", "carrier=none", "origin=JFK"))
    assert cells.names == ("carrier=UA", "carrier=none", "origin=JFK")
    total = dict(zip(cells.keys, cells.total(Sum.N), strict=True))
    assert (total[Key("carrier=none", None)], total[Key("carrier=none", 1)]) == (0, 0)
    assert total[Key("carrier=UA", None)] == sum(total[Key("carrier=UA", bucket)] for bucket in range(4)) > 0


MEALS = ("fish", "meat", "none")


def _meals(seed: int, rows: int) -> tuple[pd.DataFrame, Cohort]:
    """Three classes with probabilities, in one cohort."""
    rng = np.random.default_rng(seed)
    chances = rng.dirichlet([1, 2, 3], rows)
    words = np.array(MEALS)
    frame = pd.DataFrame(chances, columns=MEALS).assign(
        id=range(rows), shown=words[chances.argmax(axis=1)], place=rng.choice(["bar", "hall"], rows)
    )
    frame["eaten"] = np.where(rng.random(rows) < 0.2, None, words[rng.integers(0, 3, rows)])
    word = pa.Column(str, pa.Check.isin(MEALS), nullable=True)
    schema = pa.DataFrameSchema(
        {"id": pa.Column(int), **dict.fromkeys(MEALS, pa.Column(float)), "shown": word, "eaten": word,
         "place": pa.Column(str)}
    )  # fmt: skip
    contract = tg.Contract(
        name="meals", version="1.0.0", owner="kitchen", schema=schema, key=("id",), prediction="shown", label="eaten",
        classes=MEALS, score=MEALS, slices=("place",),
    )  # fmt: skip
    table = pyarrow.Table.from_pandas(frame.drop(columns="eaten"), preserve_index=False)
    known = frame["eaten"].notna().to_numpy()
    labels = Labels(pyarrow.array(frame["eaten"], from_pandas=True), known, np.zeros(rows, dtype=np.int32))
    return frame, cohort_of("d1", None, table, labels, contract, None)


def test_of_several_classes_each_has_its_biases_against_the_rest() -> None:
    frame, cohort = _meals(1, 200)
    both = frame.dropna(subset="eaten")
    assert cohort.classes == MEALS
    total = 0.0
    for name in MEALS:
        found = by_key(biases([cohort], name, binary=True))
        assert {item.outcome for item in found.values()} == {name}
        assert set(found) == {Key(None, None), Key("place=bar", None), Key("place=hall", None)}
        for key, part in [(Key(None, None), both), *((Key(f"place={v}", None), p) for v, p in both.groupby("place"))]:
            assert found[key].n == len(part)
            assert found[key].bias == pytest.approx(part[name].mean() - (part["eaten"] == name).mean(), abs=1e-9)
        total += found[Key(None, None)].bias
    assert total == pytest.approx(0.0, abs=1e-9), "probabilities and classes both add up to one"


def test_a_model_that_promises_too_much_has_a_positive_bias() -> None:
    frame = pd.DataFrame({"day": 0, "prediction": [0.9, 0.8, 0.7, 0.6], "label": [1.0, 0.0, 1.0, math.nan]})
    (found, *_) = biases(cohorts_of(frame, slices=()), "", binary=True)
    assert found.bias == pytest.approx((0.9 + 0.8 + 0.7 - 2) / 3)
    assert (found.n, found.evidence) == (3, "insufficient")


def test_an_infinite_prediction_or_label_is_left_out() -> None:
    frame = pd.DataFrame({"day": 0, "prediction": [math.inf, 0.5, 0.5], "label": [1.0, 1.0, -math.inf]})
    (found, *_) = biases(cohorts_of(frame, slices=(), edges=()), "", binary=True)
    assert (found.n, found.bias) == (1, -0.5)


def test_a_cohort_is_not_changed_by_being_judged() -> None:
    cohorts = cohorts_of(world(10, 6))
    before = [MappingProxyType({name: tally.table.copy() for name, tally in item.tallies.items()}) for item in cohorts]
    biases(cohorts, "", binary=True)
    for item, kept in zip(cohorts, before, strict=True):
        np.testing.assert_array_equal(item.tallies[""].table, kept[""])
