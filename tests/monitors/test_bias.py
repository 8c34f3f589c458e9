"""Prediction bias: mean prediction less mean label, over the rows that have both, however they came."""

from __future__ import annotations

import json
import math
from functools import reduce

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate_monitors.bias import Bias

Array = npt.NDArray[np.float64]

predictions = st.floats(0, 1) | st.just(math.nan)
labels = st.sampled_from([0.0, 1.0, math.nan])
pairs = st.lists(st.tuples(predictions, labels), max_size=60)


def _arrays(rows: list[tuple[float, float]]) -> tuple[Array, Array]:
    paired = np.array(rows, dtype=np.float64).reshape(-1, 2)
    return paired[:, 0], paired[:, 1]


@given(pairs)
def test_bias_is_what_pandas_says(rows: list[tuple[float, float]]) -> None:
    frame = pd.DataFrame(rows, columns=["prediction", "label"], dtype="float64")
    both = frame.dropna()
    found = Bias.of(*_arrays(rows))
    assert (found.rows, found.n) == (len(frame), len(both))
    assert found.maturity == (len(both) / len(frame) if len(frame) else 0.0)
    if len(both):
        assert found.mean_prediction == pytest.approx(both["prediction"].mean(), abs=1e-12)
        assert found.mean_label == pytest.approx(both["label"].mean(), abs=1e-12)
        assert found.bias == pytest.approx((both["prediction"] - both["label"]).mean(), abs=1e-12)


@given(pairs.filter(lambda rows: all(math.isnan(label) or math.isnan(score) for score, label in rows)))
def test_without_labels_there_is_no_bias(rows: list[tuple[float, float]]) -> None:
    found = Bias.of(*_arrays(rows))
    assert (found.bias, found.mean_prediction, found.mean_label) == (None, None, None)
    assert (found.n, found.maturity) == (0, 0.0)


@given(st.lists(pairs, max_size=5))
def test_biases_of_parts_add_up_to_the_whole(parts: list[list[tuple[float, float]]]) -> None:
    merged = reduce(Bias.__add__, (Bias.of(*_arrays(part)) for part in parts), Bias())
    whole = Bias.of(*_arrays([row for part in parts for row in part]))
    assert (merged.rows, merged.n, merged.labels) == (whole.rows, whole.n, whole.labels)
    assert merged.predictions == pytest.approx(whole.predictions, abs=1e-12)
    assert merged.bias == (None if whole.bias is None else pytest.approx(whole.bias, abs=1e-12))


@given(pairs, pairs)
def test_it_does_not_matter_which_labels_came_first(
    one: list[tuple[float, float]], two: list[tuple[float, float]]
) -> None:
    a, b = Bias.of(*_arrays(one)), Bias.of(*_arrays(two))
    assert a + b == b + a
    assert a + Bias() == a


@given(pairs)
def test_bias_lies_between_minus_one_and_one_and_survives_json(rows: list[tuple[float, float]]) -> None:
    found = Bias.of(*_arrays(rows))
    assert found.bias is None or -1 <= found.bias <= 1
    assert 0 <= found.maturity <= 1
    written = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert written == {
        "mean_prediction": found.mean_prediction,
        "mean_label": found.mean_label,
        "bias": found.bias,
        "n": found.n,
        "share": found.maturity,
    }


def test_a_model_that_promises_too_much_has_a_positive_bias() -> None:
    found = Bias.of(np.array([0.9, 0.8, 0.7, 0.6]), np.array([1.0, 0.0, 1.0, np.nan]))
    assert found.bias == pytest.approx((0.9 + 0.8 + 0.7 - 2) / 3)
    assert found.maturity == 0.75


def test_an_infinite_prediction_or_label_is_left_out() -> None:
    assert Bias.of(np.array([np.inf, 0.5, 0.5]), np.array([1.0, 1.0, -np.inf])) == Bias(3, 1, 0.5, 1.0)
