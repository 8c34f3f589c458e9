"""Whose rows must not be there: a list of people who opted out."""

from __future__ import annotations

from dataclasses import dataclass

from tidegate_contracts.errors import ContractError


@dataclass(frozen=True, slots=True)
class Suppression:
    """A list of values that may not appear in a column.

    Attributes:
        column: The column that names people.
        file: A text file with one value a line, relative to the contract's own file.
        hashed: Whether the lines are the sha256 (hex) of the values as text; the plain values otherwise.
    """

    column: str
    file: str
    hashed: bool = True

    def __post_init__(self) -> None:
        for name in ("column", "file"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value:
                raise ContractError(f"suppression: {name}", found=repr(value), allowed="a text")
        if not isinstance(self.hashed, bool):
            raise ContractError("suppression: hashed", found=repr(self.hashed), allowed="True or False")
