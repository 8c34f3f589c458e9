"""What a contract's predictions are of: one of two classes, one of several, or a number."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from tidegate_contracts.classes import is_class
from tidegate_contracts.contract import Contract
from tidegate_contracts.dialect import fields_of
from tidegate_contracts.types import LogicalType


class Outcome(StrEnum):
    """What is predicted."""

    BINARY = "binary"
    CLASSES = "classes"
    NUMBER = "number"


def outcome_of(contract: Contract) -> Outcome:
    """What the label of a contract is; a contract without one predicts a number."""
    if contract.label is None or not is_class(contract):
        return Outcome.NUMBER
    if contract.columns[contract.label].type.logical is LogicalType.BOOLEAN:
        return Outcome.BINARY
    named = classes_of(contract)
    return Outcome.BINARY if len(named) == 2 or (not named and contract.decision_threshold) else Outcome.CLASSES


def classes_of(contract: Contract) -> tuple[Any, ...]:
    """The label's classes: the contract's ``classes``, else what ``isin`` allows, else nothing."""
    if contract.classes:
        return tuple(contract.classes)
    column = fields_of(contract.pandera_schema).get(contract.label or "")
    for check in column.checks if column is not None else ():
        allowed = (check.statistics or {}).get("allowed_values")
        if check.name == "isin" and allowed is not None:
            return tuple(allowed)
    return ()


def positive_of(contract: Contract) -> Any:
    """The class that a prediction is the probability of, where there are two: the greater number, or the last named.

    True and 1 where the contract names no classes.
    """
    named = classes_of(contract)
    if not named:
        return 1
    numbers = all(isinstance(item, int | float) for item in named)
    return max(named) if numbers else named[-1]
