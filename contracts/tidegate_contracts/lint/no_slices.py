"""No group of rows that is watched on its own."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate_contracts.lint import Subject, asks
from tidegate_contracts.violation import Violation


@asks("at least one slice")
def no_slices(subject: Subject) -> Iterator[Violation]:
    """No slices are named."""
    if not subject.contract.slices:
        yield subject.violation("no_slices", "no slices; a group that fails would hide in the average")
