"""Prediction bias: the mean prediction less the mean label, of all rows, by bucket, by slice, and both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate_monitors.bias_cells import BiasCells, Family, Key, differences, squares
from tidegate_monitors.bias_interval import Evidence, Replicates, clustered_variance, interval
from tidegate_monitors.cohort import Cohort
from tidegate_monitors.shrinkage import shrunk
from tidegate_monitors.tally import Sum

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bias:
    """The bias of the predictions in one cell, over the cohorts that were judged together.

    Attributes:
        slice: ``column=value``; None for all rows.
        bucket: The bucket of predictions, from 0; None for all.
        outcome: The class that is told from the rest; None for a number and for two classes.
        mean_prediction: Of the labelled rows.
        mean_label: Of the labelled rows.
        bias: The first less the second, raw.
        shrunk: The bias, drawn towards that of the larger whole as far as it may be chance.
        low: The lower end of its 95 % interval; None where nothing can be said.
        high: The upper end.
        n: Rows with prediction and label.
        evidence: How far the interval can be believed.
        minimum_detectable: The bias that half of judgements would reveal, in the label's unit; None where none would.
        score_ratio: The score over what alarms, from 0 up; above 1 it alarms. None where it is not judged.
    """

    slice: str | None
    bucket: int | None
    outcome: str | None
    mean_prediction: float
    mean_label: float
    bias: float
    shrunk: float
    low: float | None
    high: float | None
    n: int
    evidence: Evidence
    minimum_detectable: float | None = None
    score_ratio: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the JSON of ``labels``."""
        return {
            "slice": self.slice,
            "bucket": self.bucket,
            "class": self.outcome,
            "mean_prediction": self.mean_prediction,
            "mean_label": self.mean_label,
            "bias": self.bias,
            "shrunk": self.shrunk,
            "low": self.low,
            "high": self.high,
            "n": self.n,
            "evidence": self.evidence.value,
            "minimum_detectable": self.minimum_detectable,
            "score_ratio": self.score_ratio,
        }


def biases(cohorts: Sequence[Cohort], outcome: str, *, binary: bool) -> tuple[Bias, ...]:
    """The bias of each cell that has a labelled row, all rows first.

    Args:
        cohorts: Those judged together.
        outcome: Which tally of theirs; ``""`` for a number and for two classes.
        binary: Whether labels are 0 and 1.
    """
    cells = BiasCells.of(cohorts, outcome)
    n = cells.total(Sum.N)
    drawn = _shrunk(cells)
    found = []
    for index, key in enumerate(cells.keys):
        if n[index] > 0:
            mine = cells.sums[:, index]
            replicates = Replicates(mine[:, Sum.N], mine[:, Sum.P], mine[:, Sum.Y], squares(mine))
            reach = interval(replicates, binary=binary)
            prediction, label = (float(mine[:, field].sum() / n[index]) for field in (Sum.P, Sum.Y))
            found.append(
                Bias(
                    key.slice,
                    key.bucket,
                    outcome or None,
                    prediction,
                    label,
                    float(differences(mine).sum() / n[index]),
                    float(drawn[index]),
                    reach.low,
                    reach.high,
                    int(n[index]),
                    reach.evidence,
                )
            )
    return tuple(found)


def _shrunk(cells: BiasCells) -> Floats:
    """All cells shrunk: slices and buckets towards all rows, a slice's bucket towards what both say added up."""
    n = cells.total(Sum.N)
    raw: Floats = np.divide(differences(cells.sums).sum(axis=0), n, out=np.zeros_like(n), where=n > 0)
    variance = _variances(cells)
    families = np.array([key.family.value for key in cells.keys])
    found: Floats = raw.copy()
    for family in (Family.BUCKET, Family.SLICE):
        mine = families == family.value
        found[mine] = shrunk(raw[mine], variance[mine], np.full(int(mine.sum()), raw[0]))
    place = {key: index for index, key in enumerate(cells.keys)}
    mine = families == Family.CROSSED.value
    parents = np.array(
        [
            found[place[Key(key.slice, None)]] + found[place[Key(None, key.bucket)]] - raw[0]
            for key in cells.keys
            if key.family is Family.CROSSED
        ]
    )
    if mine.any():
        found[mine] = shrunk(raw[mine], variance[mine], parents)
    return found


def _variances(cells: BiasCells) -> Floats:
    """Of each cell's bias: what rows or batches show, whichever is larger, rows counting as in all others at least."""
    n = cells.total(Sum.N)
    all_rows = float(squares(cells.sums)[:, 0].sum() / n[0]) if n[0] else 0.0
    own = np.divide(squares(cells.sums).sum(axis=0), n, out=np.zeros_like(n), where=n > 0)
    rows: Floats = np.divide(np.maximum(own, all_rows), n, out=np.full_like(n, np.inf), where=n > 0)
    for index in np.flatnonzero((cells.sums[..., Sum.N] > 0).sum(axis=0) > 1):
        mine = cells.sums[:, index]
        replicates = Replicates(mine[:, Sum.N], mine[:, Sum.P], mine[:, Sum.Y], squares(mine))
        bias = float(differences(mine).sum() / n[index])
        rows[index] = max(rows[index], clustered_variance(replicates, bias))
    return rows
