"""What labels say of a model of three classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from label_cohorts import alarms
from sklearn import metrics
from test_skill import of_classes

import tidegate as tg
from tidegate_monitors.label_rules import LabelEvidence, judge_labels
from tidegate_monitors.pairs import Pairs

NAMES = ("DE", "FR", "IT")
Make = Callable[..., tg.Contract]
Days = list[tuple[Any, Any, Any]]


def _days(seed: int, days: int = 20) -> Days:
    """Chances, the class that was named, and the class that came true."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(days):
        chances = rng.dirichlet([1.2, 0.8, 0.4], 300)
        label = (chances.cumsum(axis=1) < rng.random((300, 1))).sum(axis=1).clip(0, 2)
        made.append((chances, chances.argmax(axis=1), label))
    return made


def _evidence(days: Days, contract: tg.Contract, before: Days | None = None) -> LabelEvidence:
    def pairs() -> Iterator[Pairs]:
        for day, (chances, called, label) in enumerate(days):
            for index, name in enumerate(NAMES):
                truth = (label == index).astype(np.float64)
                yield Pairs(str(day), name, chances[:, index], truth, called == index)

    made = [
        tuple(of_classes(str(day), called, label, chances) for day, (chances, called, label) in enumerate(item or []))
        for item in (days, before)
    ]
    return LabelEvidence(made[0], made[1], contract, pairs=pairs)


@pytest.fixture
def make(make_contract: Make) -> Make:
    return lambda **more: make_contract(label="country", prediction="note", classes=NAMES, **more)


@pytest.mark.parametrize("compared", [False, True])
def test_a_sound_model_is_silent(make: Make, compared: bool) -> None:
    floors = {"recall": 0.1, "accuracy": 0.5, "roc_auc": 0.6, "log_loss": 1.2, "mcc": 0.1, "recall[DE]": 0.5}
    item = _evidence(_days(1), make(floors=floors), _days(2) if compared else None)
    assert list(judge_labels(item)) == []


def test_a_class_that_is_never_named_is_told(make: Make) -> None:
    days = [(chances, np.where(called == 2, 0, called), label) for chances, called, label in _days(3)]
    [alarm] = alarms("no_skill", _evidence(days, make()))
    assert alarm.message.startswith("class 'IT': none of")


def test_each_class_is_held_to_the_floor_of_recall(make: Make) -> None:
    rng = np.random.default_rng(4)
    days = [
        (chances, np.where((called == 2) & (rng.random(300) < 0.7), 0, called), label)
        for chances, called, label in _days(4)
    ]
    floors = {"recall": 0.4, "accuracy": 0.4, "recall[DE]": 0.99}
    said = alarms("per_class_floor", _evidence(days, make(floors=floors)))
    called, label = (np.concatenate([day[index] for day in days]) for index in (1, 2))
    recalls = metrics.recall_score(label, called, average=None)
    assert {alarm.message.split(":")[0]: alarm.score for alarm in said} == {
        "class 'IT'": pytest.approx(recalls[2], abs=1e-9),
        "class 'DE'": pytest.approx(recalls[0], abs=1e-9),
    }


def test_metrics_of_all_classes_are_scikit_learns(make: Make) -> None:
    days = _days(5)
    chances, called, label = (np.concatenate([day[index] for day in days]) for index in range(3))
    values = {
        "accuracy": metrics.accuracy_score(label, called),
        "balanced_accuracy": metrics.balanced_accuracy_score(label, called),
        "mcc": metrics.matthews_corrcoef(label, called),
        "kappa": metrics.cohen_kappa_score(label, called),
        "log_loss": metrics.log_loss(label, chances),
        "brier": ((chances - np.eye(3)[label]) ** 2).sum(axis=1).mean(),
    }
    floors = {name: 0.1 if name in ("log_loss", "brier") else 0.99 for name in values}
    said = alarms("per_class_floor", _evidence(days, make(floors=floors)))
    assert {alarm.message.split()[0]: alarm.score for alarm in said} == pytest.approx(values, abs=1e-9)


def test_chances_that_are_too_extreme_are_miscalibrated(make: Make) -> None:
    days = []
    for chances, called, label in _days(6):
        sharp = chances**3 / (chances**3).sum(axis=1, keepdims=True)
        days.append((sharp, called, label))
    assert alarms("miscalibration", _evidence(days, make()))


def test_naming_classes_at_random_has_no_skill(make: Make) -> None:
    rng = np.random.default_rng(7)
    days = [(rng.dirichlet([1, 1, 1], 300), rng.integers(0, 3, 300), label) for _, _, label in _days(7)]
    said = [alarm.message for alarm in alarms("no_skill", _evidence(days, make()))]
    assert len(said) == 2
    assert any("commonest class" in message for message in said)
