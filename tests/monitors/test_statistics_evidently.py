"""Statistics of the same name in Evidently give the same numbers on the same cells."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tidegate_monitors.statistics import Array, statistics

pytestmark = pytest.mark.xdist_group("evidently")  # its import takes seconds: one worker pays them
POSITIONS = np.array([-3.0, 0.0, 0.5, 2.0, 2.5, 7.0, 40.0, 41.0])

Ask = Callable[[str, str, Array, Array], float]


@pytest.fixture(scope="module")
def ask() -> Ask:
    """Ask Evidently for a column's drift score; rows are the cells' positions, or their names."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own imports
        from evidently import DataDefinition, Dataset, Report
        from evidently.metrics import ValueDrift

    def score(method: str, kind: str, current: Array, reference: Array) -> float:
        values = POSITIONS if kind == "numerical" else np.array([f"cell {cell}" for cell in range(POSITIONS.size)])
        columns: dict[str, Any] = {f"{kind}_columns": ["x"]}
        sides = [
            Dataset.from_pandas(
                pd.DataFrame({"x": np.repeat(values, counts.astype(int))}), data_definition=DataDefinition(**columns)
            )
            for counts in (current, reference)
        ]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its own making
            snapshot = Report([ValueDrift(column="x", method=method)]).run(*sides)
        return float(snapshot.dict()["metrics"][0]["value"])

    return score


def _counts(seed: int) -> tuple[Array, Array]:
    """Rows in every cell: what Evidently puts into empty ones differs."""
    rng = np.random.default_rng(seed)
    current, reference = rng.integers(1, 200, (2, POSITIONS.size)).astype(float)
    return current, reference


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("name", "method", "kind", "factor"),
    [
        ("psi", "psi", "categorical", 1.0),
        ("hellinger", "hellinger", "categorical", 1.0),
        ("jensen_shannon", "jensenshannon", "categorical", math.sqrt(math.log(2))),  # theirs is in nats
        ("wasserstein_scaled", "wasserstein", "numerical", 1.0),
        ("energy_distance", "ed", "numerical", 1.0),
    ],
)
def test_a_statistic_equals_evidentlys(ask: Ask, name: str, method: str, kind: str, factor: float, seed: int) -> None:
    current, reference = _counts(seed)
    statistic = statistics()[name]
    needed = (POSITIONS,) if statistic.needs else ()
    score = float(statistic.score(current, reference, *needed)) * factor
    assert score == pytest.approx(ask(method, kind, current, reference), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_kullback_leibler_equals_evidentlys_with_the_sides_exchanged(ask: Ask, seed: int) -> None:
    current, reference = _counts(seed)
    score = float(statistics()["kullback_leibler"].score(reference, current))
    assert score == pytest.approx(ask("kl_div", "categorical", current, reference), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_total_variation_equals_the_one_that_evidently_makes_a_p_value_of(ask: Ask, seed: int) -> None:
    from evidently.legacy.calculations.stattests.tvd_stattest import _total_variation_distance

    current, reference = _counts(seed)
    sides = [pd.Series(np.repeat(np.arange(POSITIONS.size), counts.astype(int))) for counts in (reference, current)]
    score = float(statistics()["total_variation"].score(current, reference))
    assert score == pytest.approx(float(_total_variation_distance(*sides)), rel=1e-9, abs=1e-9)
