"""Odd evidence: whatever labels look like, rules neither fail nor say what is no number."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_cohorts import evidence

import tidegate as tg
from tidegate_contracts.metric import METRICS
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.calibration import Calibration
from tidegate_monitors.label_rules import judge_labels
from tidegate_monitors.skill import skill_of

Make = Callable[..., tg.Contract]


def _frame(rng: np.random.Generator, days: int, rows: int, *, binary: bool, kind: str) -> pd.DataFrame:
    size = days * rows
    prediction = {
        "usual": rng.random(size),
        "constant": np.full(size, 0.25),
        "sure": rng.integers(0, 2, size).astype(float),
        "missing": np.where(rng.random(size) < 0.5, np.nan, rng.random(size)),
    }[kind]
    label = rng.integers(0, 2, size).astype(float) if binary else rng.normal(0, 1e6, size)
    label[rng.random(size) < rng.choice([0.0, 0.3, 1.0])] = np.nan
    if rng.random() < 0.2:
        label = np.where(np.isfinite(label), 1.0, np.nan)
    return pd.DataFrame(
        {
            "day": np.repeat([f"2024-01-{day + 1:02d}" for day in range(days)], rows),
            "prediction": prediction,
            "label": label,
            "simple": rng.random(size),
            "origin": rng.choice(["A", "B"], size),
        }
    )


def _numbers(item: Any) -> list[float]:
    if isinstance(item, dict):
        return [number for value in item.values() for number in _numbers(value)]
    if isinstance(item, list | tuple):
        return [number for value in item for number in _numbers(value)]
    return [item] if isinstance(item, float) else []


@pytest.mark.parametrize("binary", [True, False])
@settings(max_examples=30)
@given(
    seed=st.integers(0, 10_000),
    days=st.integers(1, 9),
    rows=st.sampled_from([1, 3, 40]),
    kind=st.sampled_from(["usual", "constant", "sure", "missing"]),
    compared=st.booleans(),
)
def test_nothing_fails_and_every_number_is_finite(
    make_contract: Make, binary: bool, seed: int, days: int, rows: int, kind: str, compared: bool
) -> None:
    rng = np.random.default_rng(seed)
    floors = {metric.name: metric.best if math.isfinite(metric.best) else 1.0 for metric in METRICS.values()}
    contract = make_contract(
        floors=floors, costs=(1, 3), baseline="amount", decision_threshold=0.5 if binary else None,
        label="returned" if binary else "amount",
    )  # fmt: skip
    now = _frame(rng, days, rows, binary=binary, kind=kind)
    before = _frame(rng, 7, rows, binary=binary, kind="usual") if compared else None
    item = evidence(now, before, contract, edges=(0.3, 0.6))
    for alarm in judge_labels(item):
        assert isinstance(alarm, Alarm)
        assert "nan" not in alarm.message
        if alarm.kind == "alarm":
            assert math.isfinite(alarm.score or 0.0)
            assert math.isfinite(alarm.threshold or 0.0)
    skill = skill_of(item.cohorts, contract, item.pairs)
    assert skill is not None
    tally = item.cohorts[0].tallies[""]
    calibration = Calibration.of(tally, item.pairs, probability=binary)
    assert all(map(math.isfinite, _numbers(skill.to_dict()) + _numbers(calibration.to_dict())))
