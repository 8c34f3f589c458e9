"""The area under the ROC curve, with its error by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import numpy.typing as npt

from tidegate_monitors.clustered import Estimate, from_influences
from tidegate_monitors.pairs import Pairs

Floats = npt.NDArray[np.float64]


class Auc:
    """The chance that a positive row has a greater prediction than a negative one, ties counted half.

    Source: J. A. Hanley, B. J. McNeil (1982), Radiology 143(1), 29-36; the error by batch from placements as in
    N. A. Obuchowski (1997), Biometrics 53(2), 567-578.

    Attributes:
        value: In [0, 1]; None where one class is absent.
        positives: Rows whose label is 1.
        negatives: Rows whose label is 0.
    """

    def __init__(self, parts: Iterable[Pairs]) -> None:
        kept = [(item.prediction, item.label > 0.5) for item in parts if item.prediction.size]
        self._batches = [item[1].size for item in kept]
        prediction = np.concatenate([item[0] for item in kept]) if kept else np.zeros(0)
        self._label = np.concatenate([item[1] for item in kept]) if kept else np.zeros(0, dtype=np.bool_)
        self.positives, self.negatives = int(self._label.sum()), int((~self._label).sum())
        self._placements = self._placed(prediction)
        self.value = float(self._placements[self._label].mean()) if self.positives and self.negatives else None

    def _placed(self, prediction: Floats) -> Floats:
        """For each row the share of the other class that it is on the right side of, shape (rows,)."""
        placements = np.zeros(prediction.size)
        if self.positives and self.negatives:
            low, high = np.sort(prediction[~self._label]), np.sort(prediction[self._label])
            placements[self._label] = _share_below(low, prediction[self._label])
            placements[~self._label] = 1 - _share_below(high, prediction[~self._label])
        return placements

    def estimate(self) -> Estimate | None:
        """The area with its error; None where batches are too few or one class is absent."""
        if self.value is None:
            return None
        batch: npt.NDArray[np.intp] = np.repeat(np.arange(len(self._batches)), self._batches)
        size = np.where(self._label, self.positives, self.negatives)
        moved = np.bincount(batch, (self._placements - self.value) / size, minlength=len(self._batches))
        return from_influences(self.value, moved.astype(np.float64), np.array(self._batches, dtype=np.float64))


def auc_of(pairs: Callable[[], Iterator[Pairs]], outcome: str = "") -> Auc:
    """Of one outcome's rows. All predictions are held at once: nine bytes a row, and as much again to sort them."""
    return Auc(item for item in pairs() if item.outcome == outcome)


def _share_below(others: Floats, values: Floats) -> Floats:
    found = np.searchsorted(others, values, side="left") + np.searchsorted(others, values, side="right")
    share: Floats = found / (2 * others.size)
    return share
