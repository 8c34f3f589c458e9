"""Scored rows: predictions and labels of any kind as the numbers that are summed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandera.pandas as pr
import pyarrow as pa
import pytest

import tidegate as tg
from tidegate_contracts.batch import Window
from tidegate_contracts.errors import UsageError
from tidegate_monitors.cohort import WHOLE, Cohort
from tidegate_monitors.scored import Labels, bias_of, cases, cohort_of, edges_of, pairs_of
from tidegate_monitors.tally import Sum

Make = Callable[..., tg.Contract]


@pytest.fixture
def make(make_contract: Make) -> Make:
    """A contract with a prediction and a label of some types."""

    def contract(prediction: Any, label: Any, **more: Any) -> tg.Contract:
        columns = {"id": pr.Column(int), "p": pr.Column(prediction), "y": pr.Column(label, nullable=True)}
        columns |= {name: pr.Column(float) for name in more.pop("columns", ())}
        usual = {"schema": pr.DataFrameSchema(columns), "key": ("id",), "prediction": "p", "label": "y"}
        return make_contract(event_time=None, slices=(), **(usual | more))

    return contract


def made(contract: tg.Contract, label: Any, **columns: Any) -> Cohort:
    rows = len(label)
    has = np.array([item is not None for item in label])
    labels = Labels(pa.array(label), has, np.zeros(rows, dtype=np.int32))
    return cohort_of("a", None, pa.table(columns), labels, contract, None)


@pytest.mark.parametrize(
    ("prediction", "label", "classes", "predicted", "came"),
    [
        (float, float, (0, 1), [0.0, 1.0, 1.0, None], [0.0, 1.0, 0.0, 1.0]),
        (bool, bool, (), [False, True, True, None], [False, True, False, True]),
        (str, str, ("no", "yes"), ["no", "yes", "yes", None], ["no", "yes", "no", "yes"]),
        (int, int, (1, 2), [1, 2, 2, None], [1, 2, 1, 2]),
    ],
)
def test_two_classes_are_0_and_1_whatever_they_are_called(
    make: Make, prediction: Any, label: Any, classes: tuple[Any, ...], predicted: list[Any], came: list[Any]
) -> None:
    cohort = made(make(prediction, label, classes=classes), came, p=predicted)
    sums = cohort.tallies[WHOLE].overall
    assert (cohort.rows, cohort.labelled, cohort.edges) == (4, 4, ())
    assert [sums[item] for item in (Sum.ROWS, Sum.N, Sum.P, Sum.Y, Sum.CALLS, Sum.HITS)] == [3, 3, 2, 1, 2, 1]
    assert bias_of(cohort) == pytest.approx(1 / 3)


def test_a_case_is_positive_from_the_decision_threshold_on(make: Make) -> None:
    contract = make(float, float, decision_threshold=0.3)
    (case,) = cases(pa.table({"p": [0.29, 0.3, None]}), pa.array([1.0, 0.0, 1.0]), contract)
    assert case.called.tolist() == [False, True, False]


def test_raw_scores_and_the_simpler_rule_are_summed_beside_the_prediction(make: Make) -> None:
    contract = make(float, float, columns=("raw", "rule"), score="raw", baseline="rule")
    cohort = made(contract, [1.0, 2.0, None], p=[1.0, 1.0, 1.0], raw=[0.5, 0.25, 9.0], rule=[0.0, 1.0, 9.0])
    sums = cohort.tallies[WHOLE].overall
    assert [sums[item] for item in (Sum.RAW, Sum.SIMPLE, Sum.SIMPLE_SQUARED, Sum.ERROR)] == [0.75, 1.0, 2.0, 1.0]


def test_rows_without_a_prediction_or_a_label_make_no_pair(make: Make) -> None:
    contract = make(float, float)
    table, label = pa.table({"p": [0.5, None, 0.25, float("inf")]}), pa.array([1.0, 1.0, None, 1.0])
    (pair,) = pairs_of("a", table, label, contract)
    assert (pair.prediction.tolist(), pair.label.tolist()) == ([0.5], [1.0])


def test_several_classes_without_probabilities_are_predicted_by_one_or_nothing(make: Make) -> None:
    contract = make(str, str, classes=("a", "b", "c"))
    found = {case.name: case for case in cases(pa.table({"p": ["a", "c", None]}), pa.array(["a", "b", "c"]), contract)}
    assert list(found) == ["a", "b", "c"]
    np.testing.assert_array_equal(found["a"].prediction, [1, 0, np.nan])
    np.testing.assert_array_equal(found["b"].label, [0, 1, 0])
    assert edges_of(contract, None) == ()
    assert bias_of(made(contract, ["a"], p=["a"])) is None


def test_a_number_too_large_to_be_summed_is_none(make: Make) -> None:
    contract = make(float, float)
    cohort = made(contract, [1.0, 1.7e308, 2.0], p=[1.7e308, 1.0, 2.0])
    json.dumps(cohort.to_dict(), allow_nan=False)
    assert cohort.tallies[WHOLE].overall[[Sum.ROWS, Sum.N, Sum.P]].tolist() == [2, 1, 2]
    (pair,) = pairs_of("a", pa.table({"p": [1.7e308, 1.0, 2.0]}), pa.array([1.0, -1.7e308, 2.0]), contract)
    assert (pair.prediction.tolist(), pair.label.tolist()) == ([2.0], [2.0])


def test_a_cohort_ended_with_its_window_and_without_one_when_it_was_decided_on(make: Make) -> None:
    contract, decided = make(float, float), datetime(2024, 1, 5, tzinfo=UTC)
    window = Window(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC))
    labels = Labels(pa.array([1.0]), np.array([True]), np.zeros(1, dtype=np.int32))
    for span, ended in ((window, window.end), (None, decided)):
        cohort = cohort_of("a", span, pa.table({"p": [0.5]}), labels, contract, None, decided)
        assert cohort.ended == ended
        assert Cohort.from_dict(cohort.to_dict()) == cohort


def test_texts_are_no_numbers(make: Make) -> None:
    with pytest.raises(UsageError, match="numbers or classes"):
        made(make(None, float), [1.0], p=["high"])


def test_a_cohort_survives_as_json(make: Make) -> None:
    cohort = made(make(float, float), [1.0, None], p=[0.5, 0.1])
    assert Cohort.from_dict(cohort.to_dict()) == cohort
