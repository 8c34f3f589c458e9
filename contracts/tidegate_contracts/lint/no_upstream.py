"""No word on what must be finished first."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate_contracts.lint import Subject, asks
from tidegate_contracts.violation import Violation


@asks("upstream, each with a marker or a manifest")
def no_upstream(subject: Subject) -> Iterator[Violation]:
    """Nothing upstream is named, or one cannot see whether it is ready."""
    if not subject.contract.upstream:
        message = "no upstream; a load that begins too early cannot be told (if there is none, waive this and say why)"
        yield subject.violation("no_upstream", message)
    for item in subject.contract.upstream:
        if not item.has_signal:
            message = f"upstream {item.name!r} has no signal; name its marker or manifest"
            yield subject.violation("no_upstream", message)
