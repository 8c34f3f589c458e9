"""How good predictions are whose labels have not come, from what they say themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate_monitors.panel import Panel
from tidegate_monitors.tally import Sum
from tidegate_monitors.threshold import USUAL

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimated:
    """What is to be expected of batches of which nothing is known yet.

    Attributes:
        rows: Those of batches without a label in which none is settled.
        mean_label: The share that will come true; None where nothing may be said.
        accuracy: The least and greatest share of right calls; they differ by the bucket that the threshold cuts.
        brier: The Brier score.
        why_not: Why nothing may be said; None where something is.
    """

    rows: int
    mean_label: float | None
    accuracy: tuple[float, float] | None
    brier: float | None
    why_not: str | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "accuracy": list(self.accuracy) if self.accuracy is not None else None}


def estimated(
    panel: Panel,
    edges: Sequence[float],
    *,
    calibrated: bool | None,
    calm: bool | None,
    threshold: float | None = None,
) -> Estimated:
    """The confidence-based estimate of performance, for two classes.

    A calibrated prediction p is right to call with chance p, and wrong with chance 1 - p; its expected squared error is
    p(1 - p), of which the part within buckets is taken from labelled rows of the same bucket. It holds only as far as
    predictions are calibrated for the rows at hand: it can see that cases became harder, never that the concept moved.

    Only whole batches are looked at, of which no row is settled yet. What is left of others is no such sample: where
    labels come by their outcome, the good ones first, the rest are the bad ones, whatever was predicted.

    Source: NannyML's documentation, "Confidence-based performance estimation (CBPE)"; that the confidence of calibrated
    predictions follows accuracy D. Guillory, V. Shankar, S. Ebrahimi, T. Darrell, L. Schmidt (2021), ICCV.

    Args:
        panel: The cohorts that wait for labels, and those with labels.
        edges: The inner edges of the buckets.
        calibrated: Whether predictions were found to be calibrated on labels; None if nobody could tell.
        calm: Whether no input was found to drift; None if nobody looked.
        threshold: The prediction from which a case is called; None for .5.
    """
    whole = panel.whole
    waits = (whole[:, Sum.SETTLED] == 0) & (whole[:, Sum.N] == 0)
    waiting = panel.buckets[waits].sum(axis=0)
    n = waiting[:, Sum.ROWS]
    rows = round(float(n.sum()))
    partly = bool((whole[~waits, Sum.ROWS] > np.maximum(whole[~waits, Sum.SETTLED], whole[~waits, Sum.N])).any())
    why_not = _why_not(rows, calibrated, calm, partly=partly)
    if why_not is not None:
        return Estimated(rows, None, None, None, why_not)
    scored = waiting[:, Sum.SCORED]
    mean = scored / np.maximum(n, 1)
    brier = float((n * np.maximum(mean * (1 - mean) - _spread(panel.buckets.sum(axis=0)), 0.0)).sum() / rows)
    low, high = _right(n, mean, [0.0, *edges, 1.0], USUAL if threshold is None else threshold)
    return Estimated(rows, float(scored.sum() / rows), (low / rows, high / rows), brier, None)


def _why_not(rows: int, calibrated: bool | None, calm: bool | None, *, partly: bool) -> str | None:
    if not rows and partly:
        return "only parts of batches wait for labels, and these need not be like the rows whose labels came"
    if not rows:
        return "no row waits for its label"
    if not calibrated:
        state = "are not known to be" if calibrated is None else "are not"
        return f"predictions {state} calibrated, so that they do not say how good they are"
    if not calm:
        state = "nobody looked whether inputs drift" if calm is None else "inputs drift"
        return f"{state}, so that calibration on earlier rows need not hold for these"
    return None


def _spread(sums: Floats) -> Floats:
    """The variance of predictions within each bucket, of labelled rows; 0 without any."""
    n = np.maximum(sums[:, Sum.N], 1)
    found: Floats = np.maximum(sums[:, Sum.PP] / n - (sums[:, Sum.P] / n) ** 2, 0.0)
    return found


def _right(n: Floats, mean: Floats, bounds: Sequence[float], threshold: float) -> tuple[float, float]:
    """The least and greatest number of right calls."""
    low = high = 0.0
    for rows, share, start, end in zip(n, mean, bounds[:-1], bounds[1:], strict=True):
        if start >= threshold:
            least = most = share
        elif end < threshold:
            least = most = 1 - share
        else:
            least, most = min(threshold, 1 - threshold), max(end, 1 - start)
        low, high = low + float(rows * least), high + float(rows * most)
    return low, high
