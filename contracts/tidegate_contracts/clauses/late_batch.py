"""A batch that came after its time."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate_contracts.batch import utc
from tidegate_contracts.clauses import Subject, clause
from tidegate_contracts.reasons import Broken
from tidegate_contracts.severity import Severity
from tidegate_contracts.span import in_words


@clause
def late_batch(subject: Subject) -> Iterator[Broken]:
    """The batch arrived more than ``arrive_within`` after the end of its window; its rows are none the worse for it.

    A batch that never comes is missed by the schedule, not here.
    """
    allowed, window, arrived = subject.contract.arrive_within, subject.batch.window, subject.circumstances.arrived
    if allowed is None or window is None or arrived is None:
        return
    taken = utc(arrived) - window.end
    if taken > allowed:
        rule = f"arrives within {in_words(allowed)} of its window's end; it took {in_words(taken)}"
        yield Broken("late_batch", rule, None, None, Severity.WARNING)
