"""A sample that cannot be drawn again."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate_contracts.lint import Subject, asks
from tidegate_contracts.violation import Violation


@asks("a seed of keep_sample")
def unseeded_sampling(subject: Subject) -> Iterator[Violation]:
    """Rows are sampled without a seed."""
    sample = subject.contract.keep_sample
    if sample is not None and sample.seed is None:
        message = f"keep_sample draws {sample.rows} rows without a seed; the same report cannot be made twice"
        yield subject.violation("unseeded_sampling", message)
