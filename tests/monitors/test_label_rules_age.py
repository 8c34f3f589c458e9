"""What a model's age does to its worth, and what somebody said of it when it was young."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_cohorts import evidence, found

import tidegate as tg
from tidegate_monitors.cohort import Cohort
from tidegate_monitors.declared import declared
from tidegate_monitors.label_rules import LabelEvidence
from tidegate_monitors.label_rules.refresh_interval import _suspicion, ages_of, curve
from tidegate_monitors.panel import judged
from tidegate_monitors.proof import RULES
from tidegate_monitors.tally import Sum, Tally

Make = Callable[..., tg.Contract]
EDGES = tuple(np.arange(1, 10) / 10)


def _world(seed: int, *, wear: float, days: int = 28, rows: int = 500) -> pd.DataFrame:
    """Predictions that know the rate of a row less and less: a share ``wear`` more of it is noise each day."""
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(days), rows)
    right = rng.beta(0.6, 0.9, day.size)
    lost = np.clip(wear * day, 0, 1)
    said = np.where(rng.random(day.size) < lost, rng.permutation(right), right)
    label = (rng.random(day.size) < right).astype(float)
    names = [f"2024-01-{number + 1:02}" if number < 31 else f"2024-02-{number - 30:02}" for number in range(days)]
    return pd.DataFrame({"day": np.array(names)[day], "prediction": said, "label": label})


def test_a_model_that_wears_out_is_told_with_how_often_to_train_it(make_contract: Make) -> None:
    told = found("refresh_interval", evidence(_world(3, wear=0.02), None, make_contract(), edges=EDGES))
    [alarm] = told
    assert alarm.severity == "info"
    assert alarm.score is not None
    assert alarm.score > 0.3
    days = float(alarm.message.split("after ")[1].split(" days")[0])
    assert 2 < days < 3.2  # a share that is noise errs by twice the gain, so that 2 % a day loses 4 % of it


def test_a_model_that_does_not_wear_out_is_hardly_ever_told_to_be_trained(make_contract: Make) -> None:
    contract = make_contract()
    told = [
        found("refresh_interval", evidence(_world(seed, wear=0), None, contract, edges=EDGES)) for seed in range(40)
    ]
    assert sum(map(bool, told)) <= 1


def _classes(growths: list[float], spread: float = 0.01) -> LabelEvidence:
    """Twenty-eight days of classes whose squared error grows by so much a day, beside the same noise in each."""
    cohorts = []
    noise = np.random.default_rng(1).normal(0, spread, (28, 8))
    for day in range(28):
        tallies = {}
        for place, growth in enumerate(growths):
            table = np.zeros((1, 1, len(Sum)))
            table[0, 0, [Sum.N, Sum.Y, Sum.YY]] = 500, 250, 250
            table[0, 0, Sum.SQUARED] = 500 * (0.2 + growth * day + noise[day, place])
            tallies[f"c{place}"] = Tally((), table)
        ended = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=day)
        cohorts.append(Cohort(str(day), None, 500, 500, 500, 0, (), MappingProxyType(tallies), ended=ended))
    schema = pa.DataFrameSchema({"score": pa.Column(float), "returned": pa.Column(float)})
    contract = tg.Contract(
        schema=schema, name="orders", version="1.0.0", owner="shop", prediction="score", label="returned"
    )
    return LabelEvidence(tuple(cohorts), (), contract, alpha=0.05 * RULES)


def test_each_class_that_is_looked_at_is_paid_for_also_those_that_do_not_wear_out() -> None:
    """One class is off by what its own test alone would prove, and no test among eight may."""
    alone = _classes([0.0005])
    [(p, _)] = _suspicion(alone, "c0", judged(alone)["c0"].whole, ages_of(alone.cohorts))
    assert 0.05 / 8 < p < 0.05
    assert len(found("refresh_interval", alone)) == 1
    among = _classes([0.0005] + [-0.002] * 7)
    assert found("refresh_interval", among) == []
    [alarm] = found("refresh_interval", _classes([0.002] + [-0.002] * 7))
    assert alarm.message.startswith("class 'c0': ")


def test_a_class_that_wears_out_by_less_than_matters_is_not_told_however_well_it_is_proven() -> None:
    little = _classes([0.0001] * 2, spread=0.0001)
    [(p, _)] = _suspicion(little, "c0", judged(little)["c0"].whole, ages_of(little.cohorts))
    assert p < 0.0001
    assert found("refresh_interval", little) == []


def test_a_contract_may_make_it_a_warning(make_contract: Make) -> None:
    contract = make_contract(severity={"refresh_interval": "warning"})
    [alarm] = found("refresh_interval", evidence(_world(3, wear=0.02), None, contract, edges=EDGES))
    assert alarm.severity == "warning"


def test_age_begins_anew_with_another_version(make_contract: Make) -> None:
    item = evidence(_world(3, wear=0.02), None, make_contract(), edges=EDGES)
    half = len(item.cohorts) // 2
    versions = [MappingProxyType({"old": 400, "new": 100} if place < half else {"new": 500}) for place in range(28)]
    cohorts = tuple(replace(c, versions=v) for c, v in zip(item.cohorts, versions, strict=True))
    ages = ages_of(cohorts)
    assert np.isnan(ages[:half]).all()
    assert ages[half:] == pytest.approx(np.arange(28 - half))


@given(
    st.lists(
        st.tuples(st.integers(0, 90), st.integers(1, 50), st.floats(0, 1), st.floats(0, 1)),
        min_size=2,
        max_size=20,
        unique_by=lambda item: item[0],
    )
)
def test_the_line_is_that_of_weighted_least_squares(batches: list[tuple[int, int, float, float]]) -> None:
    age, rows, error, rate = (np.array(item, dtype=float) for item in zip(*batches, strict=True))
    sums = np.stack([rows, rows * age, rows * age**2, rows * error, rows * error * age, rows * rate, rows * rate], 1)
    line = curve(sums.sum(axis=0))
    assert line is not None
    growth, young = np.polyfit(age, error, 1, w=np.sqrt(rows))
    assert line[0] == pytest.approx(young, abs=1e-8)
    assert line[1] == pytest.approx(growth, abs=1e-8)
    labels = np.concatenate([np.full(int(n), r) for n, r in zip(rows, rate, strict=True)])
    assert line[2] == pytest.approx(labels.mean() * (1 - labels.mean()), abs=1e-9)


@pytest.fixture
def promising(make_contract: Make) -> Callable[..., tg.Contract]:
    def promise(**metadata: Any) -> tg.Contract:
        schema = pa.DataFrameSchema(
            {
                "order_id": pa.Column(str, unique=True),
                "score": pa.Column(float, metadata=metadata),
                "returned": pa.Column(float, nullable=True),
            }
        )
        return tg.Contract(
            schema=schema,
            name="orders",
            version="1.0.0",
            owner="shop",
            key=("order_id",),
            prediction="score",
            label="returned",
        )

    return promise


@pytest.mark.parametrize(
    ("training", "offline", "told"),
    [
        ({"roc_auc": 0.99}, {"roc_auc": 0.78}, True),
        ({"roc_auc": 0.80}, {"roc_auc": 0.78}, False),
        ({"roc_auc": 0.78}, {"roc_auc": 0.99}, False),
        ({"log_loss": 0.1}, {"log_loss": 0.5}, True),
        ({"log_loss": 0.48}, {"log_loss": 0.5}, False),
        ({"roc_auc": 0.99}, {"log_loss": 0.5}, False),
        ({}, {"roc_auc": 0.78}, False),
    ],
)
def test_a_model_that_was_far_better_on_what_it_had_seen_is_told(
    promising: Callable[..., tg.Contract], training: dict[str, float], offline: dict[str, float], told: bool
) -> None:
    contract = promising(training=training, offline=offline)
    said = found("overfit_gap", evidence(_world(1, wear=0, days=6), None, contract, edges=EDGES))
    assert bool(said) == told
    if told:
        assert said[0].severity == "warning"
        assert "on the training rows" in said[0].message


def test_a_declared_number_that_no_float_holds_is_as_good_as_none(promising: Callable[..., tg.Contract]) -> None:
    said = {"mae": 10**400, "rmse": -(10**400), "r2": float("nan"), "roc_auc": 1, "recall[yes]": 0.5, "nonsense": 2}
    assert declared(promising(offline=said), "offline") == {"roc_auc": 1.0, "recall[yes]": 0.5}
