"""What predictions say of rows whose labels have not come, held against the labels that then came."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from label_cohorts import cohort

from tidegate_monitors.estimated import Estimated, estimated
from tidegate_monitors.panel import Panel
from tidegate_monitors.tally import Sum

EDGES = tuple(np.arange(1, 10) / 10)


def _panel(frame: pd.DataFrame) -> Panel:
    cohorts = [cohort(day, rows, EDGES) for day, rows in frame.groupby("day", sort=True)]
    return Panel.of(cohorts, "", EDGES)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    prediction = rng.beta(1, 2, 20_000)
    day = [f"2024-01-{1 + index % 20:02d}" for index in range(20_000)]
    return pd.DataFrame(
        {"day": day, "prediction": prediction, "label": (rng.random(20_000) < prediction).astype(float)}
    )


def test_calibrated_predictions_say_how_good_they_are(frame: pd.DataFrame) -> None:
    waiting = (frame["day"] > "2024-01-12").to_numpy()
    found = estimated(_panel(frame.assign(label=frame["label"].mask(waiting))), EDGES, calibrated=True, calm=True)
    later = frame[waiting]
    right = ((later["prediction"] >= 0.5) == (later["label"] == 1)).mean()
    assert found.accuracy is not None
    assert found.accuracy[0] - 0.02 < right < found.accuracy[1] + 0.02
    assert found.brier == pytest.approx(((later["prediction"] - later["label"]) ** 2).mean(), abs=0.01)
    assert found.brier == pytest.approx((later["prediction"] * (1 - later["prediction"])).mean(), abs=1e-3)
    assert found.mean_label == pytest.approx(later["prediction"].mean(), abs=1e-9)
    assert found.rows == len(later)


def test_what_is_left_of_half_labelled_batches_is_never_estimated(frame: pd.DataFrame) -> None:
    late = frame["day"] > "2024-01-12"
    by_outcome = frame.assign(label=frame["label"].mask(late & (frame["label"] == 0)))
    found = estimated(_panel(by_outcome), EDGES, calibrated=True, calm=True)
    assert (found.rows, found.mean_label) == (0, None)
    assert found.why_not is not None
    assert "only parts of batches" in found.why_not
    fresh = frame["day"] > "2024-01-18"
    both = estimated(
        _panel(by_outcome.assign(label=by_outcome["label"].mask(fresh))), EDGES, calibrated=True, calm=True
    )
    assert both.rows == fresh.sum()
    assert both.mean_label == pytest.approx(frame.loc[fresh, "prediction"].mean(), abs=1e-9)


def test_rows_that_will_never_have_a_label_are_not_estimated(frame: pd.DataFrame) -> None:
    last = (frame["day"] == "2024-01-20").to_numpy()
    panel = _panel(frame.assign(label=frame["label"].mask(last)))
    panel.table[-1, :, :, Sum.SETTLED] = panel.table[-1, :, :, Sum.ROWS]
    assert estimated(panel, EDGES, calibrated=True, calm=True).why_not == "no row waits for its label"


@pytest.mark.parametrize(
    ("calibrated", "calm", "why"),
    [
        (None, True, "are not known to be calibrated"),
        (False, True, "are not calibrated"),
        (True, None, "nobody looked"),
        (True, False, "inputs drift"),
    ],
)
def test_nothing_is_estimated_where_it_could_not_hold(
    frame: pd.DataFrame, calibrated: bool | None, calm: bool | None, why: str
) -> None:
    found = estimated(_panel(frame.assign(label=np.nan)), EDGES, calibrated=calibrated, calm=calm)
    assert found.accuracy is None
    assert why in (found.why_not or "")


def test_no_row_waits(frame: pd.DataFrame) -> None:
    found = estimated(_panel(frame), EDGES, calibrated=True, calm=True)
    assert found == Estimated(0, None, None, None, "no row waits for its label")
    assert found.to_dict()["accuracy"] is None


def test_the_bounds_of_accuracy_hold_wherever_the_threshold_is(frame: pd.DataFrame) -> None:
    for threshold in (0.05, 0.2, 0.47, 0.93):
        found = estimated(_panel(frame.assign(label=np.nan)), EDGES, calibrated=True, calm=True, threshold=threshold)
        p = frame["prediction"]
        expected = np.where(p >= threshold, p, 1 - p).mean()
        assert found.accuracy is not None
        assert found.accuracy[0] <= expected <= found.accuracy[1]
