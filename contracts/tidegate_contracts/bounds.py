"""What a column's pandera checks say of its values: their range, and the values that are allowed."""

from __future__ import annotations

from typing import Any

from tidegate_contracts.contract import Contract
from tidegate_contracts.dialect import fields_of

_RANGES = ("greater_than_or_equal_to", "less_than_or_equal_to", "in_range")


def allowed_values(contract: Contract, column: str) -> frozenset[Any]:
    """The values that ``isin`` names; none where there is no such check."""
    found: set[Any] = set()
    for check in _checks(contract, column):
        if check.name == "isin":
            found.update((check.statistics or {}).get("allowed_values", ()))
    return frozenset(found)


def edges(contract: Contract, column: str) -> tuple[Any, Any]:
    """The least and the greatest allowed value, each None where none is stated."""
    low, high = None, None
    for check in _checks(contract, column):
        if check.name in _RANGES:
            statistics = check.statistics or {}
            low, high = statistics.get("min_value", low), statistics.get("max_value", high)
    return low, high


def _checks(contract: Contract, column: str) -> list[Any]:
    declared = fields_of(contract.pandera_schema).get(column) or contract.pattern_of(column)
    return list(declared.checks) if declared is not None else []
