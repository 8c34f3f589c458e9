"""No agreement on what happens when data is wrong."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate_contracts.arguments import ACTIONS
from tidegate_contracts.lint import Subject, asks
from tidegate_contracts.severity import Severity
from tidegate_contracts.violation import Violation


@asks("actions for warning and critical, and none that lets critical pass")
def no_action(subject: Subject) -> Iterator[Violation]:
    """A severity has no action, or critical findings would pass."""
    actions = subject.contract.actions
    lacks = [word.value for word in (Severity.WARNING, Severity.CRITICAL) if word not in actions]
    if lacks:
        message = f"no actions for {' and '.join(lacks)}; each is one of {', '.join(ACTIONS)}"
        yield subject.violation("no_action", message)
    if actions.get(Severity.CRITICAL) == "pass":
        yield subject.violation("no_action", "actions let critical findings pass; then nothing would ever stop a batch")
