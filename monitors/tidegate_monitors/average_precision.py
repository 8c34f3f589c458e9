"""The area under the curve of precision and recall, with its error by batch."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from tidegate_monitors.clustered import Estimate, from_influences
from tidegate_monitors.pairs import Pairs

Floats = npt.NDArray[np.float64]


def average_precision(parts: Iterable[Pairs]) -> Estimate | None:
    """The mean, over positives, of the precision among rows with at least their prediction; ties are called together.

    Rows are sorted once; the error is found by leaving out one batch at a time.
    Source: K. Boyd, K. H. Eng, C. D. Page (2013), ECML PKDD, for this estimator of the area.

    Returns:
        None where batches are too few, or there is no positive with or without one of them.
    """
    kept = [item for item in parts if item.prediction.size]
    if not kept:
        return None
    prediction = np.concatenate([item.prediction for item in kept])
    batch = np.repeat(np.arange(len(kept)), [item.prediction.size for item in kept])
    order = np.argsort(-prediction, kind="stable")
    label, batch = np.concatenate([item.label for item in kept])[order], batch[order]
    last = np.append(np.flatnonzero(np.diff(prediction[order])), order.size - 1)
    ones = np.ones(order.size)
    value = _average(label, ones, last)
    without = [_average(label, (batch != index).astype(np.float64), last) for index in range(len(kept))]
    left = np.array([item for item in without if item is not None])
    if value is None or left.size < len(kept):
        return None
    rows = np.array([item.prediction.size for item in kept], dtype=np.float64)
    return from_influences(value, (left.mean() - left) * (left.size - 1) / left.size, rows)


def _average(label: Floats, on: Floats, last: npt.NDArray[np.int64]) -> float | None:
    """Of the rows that are on; ``last`` are the last places of equal predictions."""
    hits, calls = np.cumsum(label * on)[last], np.cumsum(on)[last]
    if hits[-1] <= 0:
        return None
    gained = np.diff(hits, prepend=0.0)
    return float((gained * hits / np.maximum(calls, 1)).sum() / hits[-1])
