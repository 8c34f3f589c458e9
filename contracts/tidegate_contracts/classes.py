"""The classes of a contract's label: whether it has any, and which is rare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tidegate_contracts.contract import Contract
from tidegate_contracts.dialect import fields_of
from tidegate_contracts.types import LogicalType

RARE = 0.1
_DISCRETE = (LogicalType.BOOLEAN, LogicalType.CATEGORY, LogicalType.TEXT)


@dataclass(frozen=True, slots=True)
class RareClass:
    """A class of which few rows are expected.

    Attributes:
        name: The class.
        share: Its expected share of rows, in [0, 1].
    """

    name: Any
    share: float


def is_class(contract: Contract) -> bool:
    """Whether the label is one of some classes, and no number."""
    if contract.label is None:
        return False
    if contract.classes or contract.decision_threshold is not None:
        return True
    if contract.columns[contract.label].type.logical in _DISCRETE:
        return True
    checks = fields_of(contract.pandera_schema)[contract.label].checks
    return any(check.name in ("isin", "equal_to") for check in checks)


def rare_class(contract: Contract) -> RareClass | None:
    """The rarest class if it is rare by what the contract declares, else None.

    A class is rare below a tenth of the rows, or below half an equal share where there are more than five classes. Its
    expected share is the middle of its bounds in ``classes``, or its share in ``population``.
    """
    shares = dict(_shares(contract))
    if not shares:
        return None
    name = min(shares, key=lambda item: shares[item])
    rare = shares[name] < min(RARE, 0.5 / len(shares))
    return RareClass(name, shares[name]) if rare else None


def _shares(contract: Contract) -> Mapping[Any, float]:
    if isinstance(contract.classes, Mapping):
        return {name: (least + most) / 2 for name, (least, most) in contract.classes.items()}
    return contract.population.get(contract.label, {}) if contract.label is not None else {}
