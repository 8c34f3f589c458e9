"""A feature that is known only later."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from tidegate_contracts.lint import Subject, asks
from tidegate_contracts.violation import Violation


@asks("features that are known at the event, when predictions are made and batches are gated")
def not_available_at_prediction(subject: Subject) -> Iterator[Violation]:
    """A feature is known only later; label and prediction are the business of target_as_feature."""
    contract = subject.contract
    for name in contract.feature_columns:
        column = contract.columns[name]
        if column.available > timedelta(0) and name not in (contract.label, contract.prediction):
            message = (
                f"a feature, but known only {column.metadata['available']} after the event; the model cannot read it"
            )
            yield subject.violation("not_available_at_prediction", message, name)
