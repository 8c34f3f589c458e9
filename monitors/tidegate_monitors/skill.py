"""Skill: how good a model is, against knowing nothing but the base rate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate_contracts.contract import Contract
from tidegate_contracts.outcome import Outcome, outcome_of
from tidegate_monitors import measures
from tidegate_monitors.auc import auc_of
from tidegate_monitors.cohort import WHOLE, Cohort
from tidegate_monitors.pairs import Pairs
from tidegate_monitors.panel import Panel
from tidegate_monitors.tally import Sum
from tidegate_monitors.threshold import threshold_of

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BinarySkill:
    """Of a model that tells two classes apart; None where a measure is not defined.

    Attributes:
        n: Rows with a label.
        threshold: The probability from which a case was called.
        base_rate: The share of positives.
        accuracy: The share of rows rightly called.
        majority: The accuracy of always naming the commoner class.
        brier_skill: 1 - Brier score / that of always saying the base rate; at most 1.
        true_positives: Positives called.
        false_positives: Negatives called.
        false_negatives: Positives not called.
        true_negatives: Negatives not called.
        precision: The share of calls that came true.
        recall: The share of positives called.
        f1: The harmonic mean of the two.
        roc_auc: The chance that a positive has a greater prediction than a negative; None without rows at hand.
    """

    n: int
    threshold: float
    base_rate: float | None
    accuracy: float | None
    majority: float | None
    brier_skill: float | None
    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int
    precision: float | None
    recall: float | None
    f1: float | None
    roc_auc: float | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ClassScore:
    """Of one of several classes.

    Attributes:
        name: The class.
        support: Rows whose label it is.
        calls: Rows for which it was named.
        precision: The share of those that came true.
        recall: The share of its rows for which it was named.
        f1: The harmonic mean of the two.
    """

    name: str
    support: int
    calls: int
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True, slots=True)
class ClassSkill:
    """Of a model that tells several classes apart.

    Attributes:
        n: Rows with a label.
        accuracy: The share of rows rightly named.
        majority: The accuracy of always naming the commonest class.
        precision: The mean over the classes that were named.
        recall: The mean over the classes that occurred.
        f1: The mean over the classes that did either.
        classes: Each.
    """

    n: int
    accuracy: float | None
    majority: float | None
    precision: float | None
    recall: float | None
    f1: float | None
    classes: tuple[ClassScore, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "classes": [asdict(item) for item in self.classes]}


@dataclass(frozen=True, slots=True)
class Errors:
    """How numbers are missed, in the label's unit.

    Attributes:
        n: Rows with a label.
        mae: The mean absolute error.
        rmse: The root of the mean squared error.
        mean_error: Mean prediction less mean label.
    """

    n: int
    mae: float | None
    rmse: float | None
    mean_error: float | None


@dataclass(frozen=True, slots=True)
class NumberSkill:
    """Of a model that predicts a number.

    Attributes:
        overall: Of all rows.
        r2: 1 - squared error / variance of labels; at most 1.
        buckets: By bucket of the prediction, from 0.
    """

    overall: Errors
    r2: float | None
    buckets: tuple[Errors, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self.overall), "r2": self.r2, "buckets": [asdict(item) for item in self.buckets]}


Skill = BinarySkill | ClassSkill | NumberSkill


def skill_of(cohorts: Sequence[Cohort], contract: Contract, pairs: Callable[[], Iterator[Pairs]]) -> Skill | None:
    """The skill over some cohorts; of several edges only those with the latest count. None without cohorts."""
    if not cohorts:
        return None
    outcome = outcome_of(contract)
    if outcome is Outcome.CLASSES:
        return _of_classes(cohorts)
    panel = Panel.of(cohorts, WHOLE, cohorts[-1].edges)
    if outcome is Outcome.NUMBER:
        buckets = tuple(_errors(row) for row in panel.buckets.sum(axis=0))
        return NumberSkill(_errors(panel.total), measures.skill(panel.total), buckets)
    threshold = threshold_of(contract)
    return _of_two(panel.total, threshold, auc_of(pairs).value)


def _of_two(sums: Floats, threshold: float, auc: float | None) -> BinarySkill:
    n, calls, positives, hits = (round(float(sums[item])) for item in (Sum.N, Sum.CALLS, Sum.Y, Sum.HITS))
    rate = measures.mean_label(sums)
    return BinarySkill(
        n=n,
        threshold=threshold,
        base_rate=rate,
        accuracy=measures.accuracy(sums),
        majority=None if rate is None else max(rate, 1 - rate),
        brier_skill=measures.skill(sums),
        true_positives=hits,
        false_positives=calls - hits,
        false_negatives=positives - hits,
        true_negatives=n - calls - positives + hits,
        precision=measures.precision(sums),
        recall=measures.recall(sums),
        f1=measures.f1(sums),
        roc_auc=auc,
    )


def confusions(cohorts: Sequence[Cohort]) -> Floats:
    """Rows by predicted class and label of each cohort that knows them as the latest does; (cohorts, classes, classes).

    Empty where the latest has none.
    """
    size = len(cohorts[-1].confusion) if cohorts else 0
    kept = [item.confusion for item in cohorts if len(item.confusion) == size and item.classes == cohorts[-1].classes]
    return np.array(kept, dtype=np.float64).reshape(-1, size, size)


def _of_classes(cohorts: Sequence[Cohort]) -> ClassSkill:
    confusion: Floats = confusions(cohorts).sum(axis=0)
    scores = tuple(
        _score(name, measures.one_against_rest(confusion, index))
        for index, name in enumerate(cohorts[-1].classes[: len(confusion)])
    )
    n = float(confusion.sum())
    return ClassSkill(
        n=round(n),
        accuracy=measures.over(float(np.trace(confusion)), n),
        majority=measures.over(float(confusion.sum(axis=0).max(initial=0.0)), n),
        precision=_mean([item.precision for item in scores]),
        recall=_mean([item.recall for item in scores]),
        f1=_mean([item.f1 for item in scores]),
        classes=scores,
    )


def _score(name: str, sums: Floats) -> ClassScore:
    support, calls = round(float(sums[Sum.Y])), round(float(sums[Sum.CALLS]))
    return ClassScore(name, support, calls, measures.precision(sums), measures.recall(sums), measures.f1(sums))


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _errors(sums: Floats) -> Errors:
    n = round(float(sums[Sum.N]))
    return Errors(n, measures.mae(sums), measures.rmse(sums), measures.mean_error(sums))
