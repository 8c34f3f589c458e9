"""Accuracy as the only measure of a model that tells classes apart."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate_contracts.classes import is_class, rare_class
from tidegate_contracts.lint import Subject, asks
from tidegate_contracts.metric import METRICS
from tidegate_contracts.severity import Severity
from tidegate_contracts.violation import Violation


@asks("a floor beside accuracy where the label is a class")
def accuracy_only(subject: Subject) -> Iterator[Violation]:
    """All floors hide a rare class; critical where a class is declared rare, else a warning."""
    contract = subject.contract
    hiding = [name for name in contract.floors if name in METRICS and METRICS[name].hides_rare]
    if not hiding or len(hiding) < len(contract.floors) or not is_class(contract):
        return
    rare = rare_class(contract)
    advice = "add a floor for recall, pr_auc or f1"
    if rare is None:
        message = f"the only floor is {', '.join(hiding)}, which hides a class that becomes rare; {advice}"
        yield subject.violation("accuracy_only", message, default=Severity.WARNING)
    else:
        message = (
            f"the only floor is {', '.join(hiding)}, but class {rare.name!r} is expected in {rare.share:.1%} of rows: "
            f"a model that never names it is right in {1 - rare.share:.1%}; {advice}"
        )
        yield subject.violation("accuracy_only", message)
