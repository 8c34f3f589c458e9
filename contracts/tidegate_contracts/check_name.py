"""The name of a pandera check in the catalogue."""

from __future__ import annotations

from typing import Any

from tidegate_contracts.catalogue import CATALOGUE
from tidegate_contracts.contract import Contract


def check_name(check: Any, contract: Contract, column: str | None = None) -> str:
    """The catalogue's name of a pandera check: its own where it has one, else by its kind.

    Args:
        check: The ``pandera.Check``.
        contract: The contract in which it stands.
        column: The column of which it speaks; None for one of the table.
    """
    if check.name in CATALOGUE:
        return str(check.name)
    if column is None or check.groupby is not None:
        return "broken_invariant"
    if check.name == "isin":
        return "unknown_labels" if column == contract.label else "category_change"
    return "impossible_values"
