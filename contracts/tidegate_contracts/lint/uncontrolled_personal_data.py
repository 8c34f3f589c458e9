"""Personal data without a purpose."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate_contracts.lint import Subject, asks
from tidegate_contracts.severity import Severity
from tidegate_contracts.violation import Violation


@asks("a purpose (metadata) of every personal column")
def uncontrolled_personal_data(subject: Subject) -> Iterator[Violation]:
    """A personal column states no purpose; critical where the model reads it. Slices may never be personal."""
    features = subject.contract.feature_columns
    for name, column in subject.columns.items():
        if column.personal and not str(column.metadata.get("purpose") or "").strip():
            read = name in features
            message = (
                f"personal{' and a feature' if read else ''}, but no purpose is stated (metadata={{'purpose': …}})"
            )
            default = Severity.CRITICAL if read else None
            yield subject.violation("uncontrolled_personal_data", message, name, default)
