"""A column whose meaning, unit or type is not declared."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from tidegate_contracts.classes import is_class
from tidegate_contracts.column import Column
from tidegate_contracts.contract import Contract
from tidegate_contracts.lint import Subject, asks
from tidegate_contracts.types import ANY, LogicalType
from tidegate_contracts.violation import Violation

_NUMERIC = (LogicalType.INTEGER, LogicalType.NUMBER)


@asks("a description and a type of every column, and the unit of every number that is measured or counted")
def undocumented_column(subject: Subject) -> Iterator[Violation]:
    """A column lacks description, type or unit; shares, flags, codes and identifiers need no unit."""
    exempt = _without_unit(subject.contract)
    for name, column in subject.columns.items():
        declared, lacks = subject.pandera(name), []
        if not str(column.description or "").strip():
            lacks.append("no description")
        if column.type == ANY and (declared.dtype is None or str(declared.dtype) == "object"):
            lacks.append("no type")
        if name not in exempt and _is_measured(column, declared) and not _says(column.unit):
            lacks.append("no unit (metadata={'unit': …}; '1' for a pure number)")
        if lacks:
            yield subject.violation("undocumented_column", ", ".join(lacks), name)


def _says(unit: Any) -> bool:
    return unit is not None and bool(str(unit).strip())


def _without_unit(contract: Contract) -> frozenset[str]:
    """Columns whose numbers name something or were made unitless."""
    names = {*contract.key, *contract.entity, *contract.slices, *contract.standardised, *contract.population}
    names.update(contract.score_columns)
    names.update(name for reference in contract.references for name in reference.columns)
    roles = {contract.annotator, contract.model_version, contract.suppression.column if contract.suppression else None}
    if is_class(contract):
        roles |= {contract.label, contract.prediction, contract.baseline}
    return frozenset(names | {name for name in roles if name is not None})


def _is_measured(column: Column, declared: Any) -> bool:
    """Whether a column holds numbers beyond shares, flags and codes."""
    if column.type.logical not in _NUMERIC:
        return False
    if any(check.name in ("isin", "equal_to") for check in declared.checks):
        return False
    least, most = _bounds(declared)
    return not (least >= 0 and most <= 1)


def _bounds(declared: Any) -> tuple[float, float]:
    """Between which numbers pandera's checks hold a column."""
    least, most = -math.inf, math.inf
    for check in declared.checks:
        told = check.statistics or {}
        low, high = told.get("min_value"), told.get("max_value")
        least = max(least, low) if isinstance(low, int | float) else least
        most = min(most, high) if isinstance(high, int | float) else most
    return least, most
