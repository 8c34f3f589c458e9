"""What a model's age does to its worth, and what somebody said of it when it was young."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
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
from tidegate_monitors.label_rules.refresh_interval import ages_of, curve

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
