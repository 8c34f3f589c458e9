"""What a profile, a reference and a table of reasons say of a verdict: lines of tables and shapes to draw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tidegate_contracts.contract import Contract
from tidegate_contracts.violation import Violation
from tidegate_flows.pages.shape import Shape, shape_of
from tidegate_flows.pages.verdict_view import ColumnLine, ReasonLine, worst_of
from tidegate_monitors.column_profile import ColumnProfile, missing_share
from tidegate_monitors.comparison import Comparison
from tidegate_monitors.finding import Finding
from tidegate_monitors.reference import Reference

SHAPES_MAXIMUM = 12


def column_lines(
    current: Mapping[str, ColumnProfile], reference: Reference | None, comparisons: Sequence[Comparison]
) -> list[ColumnLine]:
    """Every column of a profile, the one that came nearest to its threshold first; the table where it was judged."""
    worst = worst_of(comparisons)
    lines = [
        ColumnLine(name, (_missing_before(name, reference), missing_share(column)), worst.get(name))
        for name, column in current.items()
    ]
    if None in worst:
        lines.append(ColumnLine(None, (None, None), worst[None]))
    return sorted(lines, key=lambda line: -1.0 if line.worst is None else line.worst.ratio or 0.0, reverse=True)


def shapes(
    findings: Iterable[Finding], current: Mapping[str, ColumnProfile], reference: Reference, contract: Contract
) -> dict[str, Shape]:
    """The shapes of the columns that findings name, the worst finding first; never of personal data."""
    found: dict[str, Shape] = {}
    for finding in sorted(findings, key=lambda one: -one.severity.rank):
        more = () if isinstance(finding, Violation) else finding.columns
        for name in (finding.column, *more):
            if name is None or name in found or name not in current or not _shown(name, contract):
                continue
            shape = shape_of(name, current[name], reference)
            if shape is not None:
                found[name] = shape
            if len(found) == SHAPES_MAXIMUM:
                return found
    return found


def reason_lines(reasons: Any) -> list[ReasonLine]:
    """A ``pyarrow.Table`` of reasons, counted by clause; the heaviest first."""
    counted = reasons.group_by(["check", "rule", "column"]).aggregate([("row", "count")]).to_pylist()
    found = [ReasonLine(item["check"], item["rule"], item["column"], item["row_count"] or None) for item in counted]
    return sorted(found, key=lambda one: (one.rows is not None, -(one.rows or 0), one.check, one.rule))


def _missing_before(name: str, reference: Reference | None) -> float | None:
    if reference is None or name not in reference.layout.cells:
        return None
    present, missing = reference.missing(name).sum(axis=0).tolist()
    return missing / (present + missing) if present + missing else None


def _shown(name: str, contract: Contract) -> bool:
    column = contract.columns.get(name)
    return column is not None and not column.personal
