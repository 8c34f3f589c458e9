"""No word on when data comes."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate_contracts.lint import Subject, asks
from tidegate_contracts.violation import Violation


@asks("cadence, arrive_within and freshness")
def no_freshness_promise(subject: Subject) -> Iterator[Violation]:
    """Nothing says how often batches come, how late they may be, or how old their newest event."""
    lacks = [name for name in ("cadence", "arrive_within", "freshness") if getattr(subject.contract, name) is None]
    if lacks:
        message = f"no {', no '.join(lacks)}: late, missing or stale data cannot be told"
        yield subject.violation("no_freshness_promise", message)
