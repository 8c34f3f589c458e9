"""Skill: against scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_cohorts import cohort, pairs_of
from sklearn import metrics

import tidegate as tg
from tidegate_monitors.auc import auc_of
from tidegate_monitors.average_precision import average_precision
from tidegate_monitors.cohort import Cohort
from tidegate_monitors.pairs import Pairs, no_pairs
from tidegate_monitors.skill import BinarySkill, ClassSkill, NumberSkill, skill_of
from tidegate_monitors.tally import Rows, Tally


def _frame(seed: int, rows: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    prediction = np.round(rng.beta(2, 2, rows), 1)  # many ties
    day = [f"2024-01-{1 + index % 9:02d}" for index in range(rows)]
    return pd.DataFrame({"day": day, "prediction": prediction, "label": (rng.random(rows) < prediction).astype(float)})


def _cohorts(frame: pd.DataFrame, edges: tuple[float, ...] = ()) -> list[Cohort]:
    return [cohort(day, rows, edges) for day, rows in frame.groupby("day", sort=True)]


@settings(max_examples=15)
@given(st.integers(0, 10_000))
def test_two_classes_agree_with_scikit_learn(make_contract: Callable[..., tg.Contract], seed: int) -> None:
    frame = _frame(seed)
    found = skill_of(_cohorts(frame), make_contract(), pairs_of(frame))
    assert isinstance(found, BinarySkill)
    y, p = frame["label"].to_numpy(), frame["prediction"].to_numpy()
    called = p >= 0.5
    assert found.roc_auc == pytest.approx(metrics.roc_auc_score(y, p), abs=1e-9)
    assert found.accuracy == pytest.approx(metrics.accuracy_score(y, called), abs=1e-9)
    assert found.precision == pytest.approx(metrics.precision_score(y, called), abs=1e-9)
    assert found.recall == pytest.approx(metrics.recall_score(y, called), abs=1e-9)
    assert found.f1 == pytest.approx(metrics.f1_score(y, called), abs=1e-9)
    assert found.brier_skill == pytest.approx(1 - metrics.brier_score_loss(y, p) / y.var(), abs=1e-9)
    matrix = [[found.true_negatives, found.false_positives], [found.false_negatives, found.true_positives]]
    assert matrix == metrics.confusion_matrix(y, called).tolist()


@settings(max_examples=15)
@given(st.integers(0, 10_000))
def test_the_average_precision_is_scikit_learns(seed: int) -> None:
    frame = _frame(seed)
    found = average_precision(pairs_of(frame)())
    assert found is not None
    expected = metrics.average_precision_score(frame["label"], frame["prediction"])
    assert found.value == pytest.approx(expected, abs=1e-9)


def test_the_error_of_the_area_is_that_of_leaving_out_batches() -> None:
    frame = _frame(5, 9000)
    found = auc_of(pairs_of(frame)).estimate()
    left = [
        metrics.roc_auc_score(part.label, part.prediction)
        for day in frame.day.unique()
        if len(part := frame[frame.day != day])
    ]
    assert found is not None
    assert found.error >= 0.9 * np.std(left) * np.sqrt(len(left) - 1)


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_what_one_class_alone_leaves_undefined_is_none(make_contract: Callable[..., tg.Contract], label: float) -> None:
    frame = _frame(1).assign(label=label, prediction=0.1)
    found = skill_of(_cohorts(frame), make_contract(), pairs_of(frame))
    assert isinstance(found, BinarySkill)
    assert (found.roc_auc, found.brier_skill, found.precision) == (None, None, None)
    assert found.recall == (0.0 if label else None)
    assert skill_of([], make_contract(), no_pairs) is None


@settings(max_examples=15)
@given(st.integers(0, 10_000))
def test_numbers_agree_with_scikit_learn(make_contract: Callable[..., tg.Contract], seed: int) -> None:
    rng = np.random.default_rng(seed)
    frame = _frame(seed).assign(label=rng.normal(20, 5, 120))
    frame["prediction"] = frame["label"] + rng.normal(1, 2, 120)
    found = skill_of(_cohorts(frame, (18.0, 22.0)), make_contract(label="amount"), no_pairs)
    assert isinstance(found, NumberSkill)
    assert found.overall.mae == pytest.approx(metrics.mean_absolute_error(frame.label, frame.prediction), abs=1e-9)
    assert found.overall.rmse == pytest.approx(metrics.root_mean_squared_error(frame.label, frame.prediction), abs=1e-9)
    assert found.r2 == pytest.approx(metrics.r2_score(frame.label, frame.prediction), abs=1e-9)
    part = frame[frame.prediction <= 18]
    assert found.buckets[0].mean_error == pytest.approx((part.prediction - part.label).mean(), abs=1e-9)
    assert found.to_dict()["buckets"][0]["n"] == len(part)


@settings(max_examples=15)
@given(st.integers(0, 10_000))
def test_several_classes_agree_with_scikit_learn(make_contract: Callable[..., tg.Contract], seed: int) -> None:
    rng = np.random.default_rng(seed)
    y, called = rng.choice(3, 200, p=[0.6, 0.3, 0.1]), rng.choice(3, 200)
    contract = make_contract(label="country", prediction="note", classes=("DE", "FR", "IT"))
    found = skill_of([of_classes("2024-01-01", called, y, np.eye(3)[called])], contract, no_pairs)
    assert isinstance(found, ClassSkill)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(y, called, labels=[0, 1, 2])
    assert [item.precision for item in found.classes] == pytest.approx(precision.tolist(), abs=1e-9)
    assert [item.recall for item in found.classes] == pytest.approx(recall.tolist(), abs=1e-9)
    assert [item.f1 for item in found.classes] == pytest.approx(f1.tolist(), abs=1e-9)
    assert [item.support for item in found.classes] == support.tolist()
    assert found.f1 == pytest.approx(metrics.f1_score(y, called, average="macro"), abs=1e-9)
    assert found.majority == pytest.approx(np.bincount(y).max() / 200, abs=1e-9)


def of_classes(day: str, called: Any, label: Any, chances: Any) -> Cohort:
    """A cohort of three classes, by number."""
    tallies = {}
    for index, name in enumerate(("DE", "FR", "IT")):
        truth = (label == index).astype(np.float64)
        tallies[name] = Tally.of(
            Rows(chances[:, index], truth, np.ones(len(label), dtype=bool), {}, called == index), ()
        )
    confusion = metrics.confusion_matrix(called, label, labels=[0, 1, 2])
    return Cohort(
        day, None, len(label), len(label), len(label), 0, (), MappingProxyType(tallies),
        tuple(tuple(int(n) for n in row) for row in confusion),
    )  # fmt: skip


def test_pairs_of_another_class_take_no_part() -> None:
    mine = Pairs("a", "x", np.array([0.1, 0.9]), np.array([0.0, 1.0]), np.array([False, True]))
    other = Pairs("a", "y", np.array([0.9, 0.1]), np.array([0.0, 1.0]), np.array([False, True]))
    assert auc_of(lambda: iter([mine, other]), "x").value == 1.0
