"""A decision threshold that weighs no mistakes."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate_contracts.classes import rare_class
from tidegate_contracts.lint import Subject, asks
from tidegate_contracts.violation import Violation

_DEFAULT = 0.5


@asks("costs beside decision_threshold, and none of 0.5 where a class is rare")
def threshold_without_cost(subject: Subject) -> Iterator[Violation]:
    """A threshold stands without costs, or is the usual 0.5 though a class is declared rare."""
    contract = subject.contract
    threshold, costs = contract.decision_threshold, contract.costs
    if threshold is None:
        return
    wrong = []
    if costs is None or not any(costs):
        wrong.append("without costs of a false positive and a false negative")
    rare = rare_class(contract)
    if threshold == _DEFAULT and rare is not None:
        wrong.append(f"the usual 0.5, though class {rare.name!r} is expected in {rare.share:.1%} of rows")
    if wrong:
        yield subject.violation("threshold_without_cost", f"decision_threshold={threshold:g} {' and '.join(wrong)}")
