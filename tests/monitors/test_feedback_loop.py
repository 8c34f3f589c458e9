"""A feature that is the model's own earlier answer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate_monitors.feedback_loop import PAIRS_MINIMUM, loop_strength


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(1)


def test_a_copy_of_the_earlier_prediction_is_a_loop(rng: np.random.Generator) -> None:
    lagged, before = rng.random(200), rng.random(200)
    assert loop_strength(lagged, lagged) == pytest.approx(1)
    assert loop_strength(100 * lagged**2, lagged, before) == pytest.approx(1)  # any scale, and falling ones too
    assert loop_strength(-lagged, lagged, before) == pytest.approx(1)


def test_a_copy_is_a_loop_though_entities_are_scored_much_alike_each_time(rng: np.random.Generator) -> None:
    person = rng.random(300)
    first, second = person + 0.05 * rng.random(300), person + 0.05 * rng.random(300)
    assert loop_strength(second, second, first) == pytest.approx(1)


def test_what_the_model_decides_by_is_no_loop(rng: np.random.Generator) -> None:
    age = rng.random(300)
    predicted = age**2
    assert loop_strength(age, predicted, age) is None
    assert loop_strength(age + 0.01 * rng.random(300), predicted, age) is None


def test_unrelated_features_and_few_pairs_are_none(rng: np.random.Generator) -> None:
    assert loop_strength(rng.random(300), rng.random(300)) is None
    few = rng.random(PAIRS_MINIMUM - 1)
    assert loop_strength(few, few) is None
    two = np.repeat([0.2, 0.8], 200)
    assert loop_strength(two, two) is None
    gaps = np.where(np.arange(60) % 2, np.nan, rng.random(60))
    assert loop_strength(gaps, rng.random(60)) is None


@given(st.lists(st.tuples(*[st.floats(allow_infinity=True, allow_nan=True)] * 3), max_size=60))
def test_it_is_a_share_or_nothing_whatever_comes(rows: list[tuple[float, float, float]]) -> None:
    now, lagged, before = np.array(rows, dtype=np.float64).reshape(-1, 3).T
    found = loop_strength(now, lagged, before)
    assert found is None or 0.95 <= found <= 1 + 1e-9
