"""A model that the reference does not know."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.cells import Kind
from tidegate_monitors.rules import Evidence, rule


@rule
def mixed_model_versions(evidence: Evidence) -> Iterator[Alarm]:
    """Rows scored by a version that no block of the reference had: information, for models are to be replaced.

    What the predictions are held against was then said by another model. Two versions in one batch are told of by the
    clause of this name. The score is the share of rows of such versions; the threshold is 0.
    """
    column = evidence.contract.model_version
    cells = evidence.reference.layout.cells.get(column) if column is not None else None
    if column is None or cells is None or cells.kind is not Kind.CATEGORY:
        return
    counts = evidence.current.columns[column].counts
    if counts[-1] and (cells.kept or cells.pooled):
        yield Alarm(
            "mixed_model_versions",
            evidence.contract.severity_of("mixed_model_versions", Severity.INFO, column),
            f"column {column!r}: {counts[-1]} of {sum(counts)} rows were scored by a version that the reference never "
            f"saw; if it is meant, build a reference from what it says",
            column,
            score=counts[-1] / sum(counts),
            threshold=0.0,
        )
