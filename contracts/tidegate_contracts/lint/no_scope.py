"""A model without a word on what it was made for."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate_contracts.lint import Subject, asks
from tidegate_contracts.violation import Violation


@asks("a scope, where a model reads or wrote the rows (prediction, label or features)")
def no_scope(subject: Subject) -> Iterator[Violation]:
    """A model is named, and no scope."""
    contract = subject.contract
    model = [name for name in ("prediction", "label", "features") if getattr(contract, name) is not None]
    if model and contract.scope is None:
        message = f"{' and '.join(model)} but no scope; say for which rows the model was made"
        yield subject.violation("no_scope", message)
