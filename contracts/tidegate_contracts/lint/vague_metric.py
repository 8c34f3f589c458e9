"""A floor that nobody can hold a model against."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from tidegate_contracts.lint import Subject, asks
from tidegate_contracts.metric import METRICS
from tidegate_contracts.violation import Violation

_NEEDED = ("prediction", "label", "label_delay", "cadence")
_ELSEWHERE = {
    "auc": "roc_auc",
    "average_precision": "pr_auc",
    "cross_entropy": "log_loss",
    "f1_score": "f1",
    "sensitivity": "recall",
}
"""What other tools call a known metric, where its spelling is not close."""


@asks("floors of known metrics that a model can miss and reach, with prediction, label, label_delay and cadence")
def vague_metric(subject: Subject) -> Iterator[Violation]:
    """A floor names an unknown metric, is always or never met, or lacks what it is computed from."""
    floors = subject.contract.floors
    for name, floor in floors.items():
        why = _why(str(name), floor)
        if why is not None:
            yield subject.violation("vague_metric", f"floors[{name!r}]: {why}")
    lacks = [name for name in _NEEDED if getattr(subject.contract, name) is None] if floors else []
    if lacks:
        message = f"floors, but no {', no '.join(lacks)}: nothing says from what and over which time they are computed"
        yield subject.violation("vague_metric", message)


def _why(name: str, floor: float) -> str | None:
    metric = METRICS.get(name.partition("[")[0])
    if metric is None:
        word = name.casefold()
        close = [_ELSEWHERE[word]] if word in _ELSEWHERE else get_close_matches(word, METRICS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(METRICS)}"
        return f"unknown metric; {hint}"
    span = f"{name} goes from {metric.worst:g} (worst) to {metric.best:g} (best)"
    if not metric.can_fail(floor):
        return f"{floor:g} is always met; {span}"
    if not metric.can_pass(floor):
        return f"{floor:g} is never met; {span}"
    return None
