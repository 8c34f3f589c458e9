"""How sure it is that a metric of the model is worse than it should be."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tidegate_contracts.metric import METRICS
from tidegate_contracts.outcome import Outcome, positive_of
from tidegate_monitors import measures
from tidegate_monitors.auc import auc_of
from tidegate_monitors.average_precision import average_precision
from tidegate_monitors.clustered import Estimate, clustered
from tidegate_monitors.cohort import WHOLE
from tidegate_monitors.confusion import AGREEMENT, agreement
from tidegate_monitors.ece_noise import ece_p_value, mean_ece
from tidegate_monitors.label_rules import LabelEvidence
from tidegate_monitors.pairs import Pairs
from tidegate_monitors.panel import judged
from tidegate_monitors.proof import level
from tidegate_monitors.recalibration import CLIP
from tidegate_monitors.skill import confusions
from tidegate_monitors.tally import Sum

Floats = npt.NDArray[np.float64]

_ROWS = 20
_SEED = 20130101
_NAME = re.compile(r"(?P<metric>\w+)(\[(?P<outcome>.+)\])?")


@dataclass(frozen=True, slots=True)
class Shortfall:
    """One metric against its limit.

    Attributes:
        outcome: The class it is about; ``""`` for all rows.
        value: What was measured.
        p: The p-value of the metric being as good as the limit, or better.
    """

    outcome: str
    value: float
    p: float


def shortfalls(evidence: LabelEvidence, name: str, limit: float) -> Iterator[Shortfall]:
    """One metric against a limit; nothing for unknown metrics, and where there is too little to say.

    Precision, recall, specificity, F1 and the areas are of the positive class, or of each of several classes; all
    others of the model as a whole. ``recall[CLASS]`` is that of one class. A metric of calls needs 20 rows in
    its denominator, and its error is never taken to be less than that of as many independent rows.
    """
    match = _NAME.fullmatch(name)
    metric = METRICS.get(match["metric"]) if match else None
    if match is None or metric is None or not evidence.cohorts:
        return
    if metric.name == "ece":
        yield from _of_ece(evidence, limit)
    elif metric.name == "median_absolute_error":
        yield from _of_median(evidence, limit)
    else:
        for outcome, found in _estimates(evidence, metric.name, match["outcome"]):
            if found is not None:
                p = found.below(limit) if metric.more_is_better else found.above(limit)
                yield Shortfall(outcome, found.value, p)


def _estimates(evidence: LabelEvidence, metric: str, only: str | None) -> Iterator[tuple[str, Estimate | None]]:
    several = evidence.outcome is Outcome.CLASSES
    panels = judged(evidence)
    if metric in measures.CALLED and evidence.outcome is not Outcome.NUMBER:
        if several and metric in AGREEMENT and only is None:
            yield "", agreement(evidence.cohorts, metric)
        else:
            yield from _of_calls(evidence, metric, only)
    elif metric in ("roc_auc", "pr_auc") and evidence.outcome is not Outcome.NUMBER:
        for outcome in panels:
            if only is None or only == outcome:
                parts = (item for item in evidence.pairs() if item.outcome == outcome)
                yield (
                    outcome,
                    auc_of(evidence.pairs, outcome).estimate() if metric == "roc_auc" else average_precision(parts),
                )
    elif metric in _BY_ROW:
        yield "", _of_rows(evidence, _BY_ROW[metric])
    elif metric in measures.PREDICTED and only is None:
        sums = np.stack([panel.whole for panel in panels.values()], axis=1)
        yield "", clustered(sums, lambda rows: _together(rows, metric), sums[:, 0, Sum.N])


def _together(rows: Floats, metric: str) -> float | None:
    """A metric of all outcomes, from their sums of shape (outcomes, 15): squared errors add up, rows do not."""
    if metric in ("skill", "r2"):
        return measures.joint_skill(rows)
    sums = rows.sum(axis=0)
    sums[Sum.N] = rows[0, Sum.N]
    return measures.PREDICTED[metric](sums)


def _of_calls(evidence: LabelEvidence, metric: str, only: str | None) -> Iterator[tuple[str, Estimate | None]]:
    if evidence.outcome is Outcome.BINARY:
        panel = judged(evidence)[WHOLE]
        other = only is not None and only != str(positive_of(evidence.contract))
        parts = {only or "": measures.other_class(panel.whole) if other else panel.whole}
    else:
        confusion = confusions(evidence.cohorts)
        names = evidence.cohorts[-1].classes[: confusion.shape[1]]
        parts = {name: measures.one_against_rest(confusion, index) for index, name in enumerate(names)}
        parts = {name: sums for name, sums in parts.items() if only in (None, name)}
    for outcome, sums in parts.items():
        found = clustered(sums, measures.CALLED[metric], sums[:, Sum.N])
        rows = _denominator(metric, sums.sum(axis=0))
        if found is not None and rows >= _ROWS:
            share = (min(max(found.value, 0.0), 1.0) * rows + 1) / (rows + 2)
            yield outcome, found.at_least(math.sqrt(share * (1 - share) / rows))


def _denominator(metric: str, sums: Floats) -> float:
    """How many rows a metric of calls rests on."""
    n, calls, positives = (float(sums[item]) for item in (Sum.N, Sum.CALLS, Sum.Y))
    known = {"precision": calls, "recall": positives, "specificity": n - positives, "f1": (calls + positives) / 2}
    return known.get(metric, n)


def _of_ece(evidence: LabelEvidence, limit: float) -> Iterator[Shortfall]:
    panels = list(judged(evidence).values())
    if all(panel.sound for panel in panels):
        found, tests = mean_ece(panels), max(1, len(evidence.contract.floors)) * len(panels)
        rng = np.random.default_rng(_SEED)
        yield Shortfall("", found, ece_p_value(panels, found - limit, rng, level(evidence), tests))


def _of_median(evidence: LabelEvidence, limit: float) -> Iterator[Shortfall]:
    """The median is above a limit where more than half of the errors are."""
    errors = [np.abs(item.prediction - item.label) for item in evidence.pairs()]
    sums = np.array([[(part > limit).sum(), part.size] for part in errors], dtype=np.float64).reshape(-1, 2)
    found = clustered(sums, lambda both: measures.over(float(both[0]), float(both[1])), sums[:, 1])
    if found is not None:
        yield Shortfall("", float(np.median(np.concatenate(errors))), found.above(0.5))


def _log_loss(item: Pairs) -> tuple[float, float]:
    """Of one outcome; those of several classes add up to that of the whole, each row counted with its own class."""
    p = np.clip(item.prediction, CLIP, 1 - CLIP)
    positive = -(item.label * np.log(p))
    if item.outcome:
        return float(positive.sum()), float(item.label.sum())
    return float((positive - (1 - item.label) * np.log1p(-p)).sum()), float(p.size)


def _mape(item: Pairs) -> tuple[float, float]:
    """Of the rows whose label is not zero."""
    kept = item.label != 0
    return float(np.abs((item.prediction[kept] - item.label[kept]) / item.label[kept]).sum()), float(kept.sum())


_BY_ROW: dict[str, Callable[[Pairs], tuple[float, float]]] = {"log_loss": _log_loss, "mape": _mape}


def _of_rows(evidence: LabelEvidence, measure: Callable[[Pairs], tuple[float, float]]) -> Estimate | None:
    """A mean over rows, from sums by batch in the order in which batches come."""
    sums: dict[str, Floats] = {}
    for item in evidence.pairs():
        sums[item.batch] = sums.get(item.batch, np.zeros(2)) + np.array(measure(item))
    table = np.array([*sums.values()], dtype=np.float64).reshape(-1, 2)
    return clustered(table, lambda both: measures.over(float(both[0]), float(both[1])), table[:, 1])
