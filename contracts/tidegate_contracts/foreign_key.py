"""A reference to another table: columns whose values must be keys there."""

from __future__ import annotations

from dataclasses import dataclass

from tidegate_contracts.errors import ContractError


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """Columns whose values must be found in another table.

    A single name may be given instead of a tuple of one.

    Attributes:
        columns: Columns of the batch.
        table: The other table's file, relative to the contract's own file.
        key: The columns there, in the same order; by default of the same names.
    """

    columns: tuple[str, ...]
    table: str
    key: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        columns = (self.columns,) if isinstance(self.columns, str) else tuple(self.columns)
        key = (self.key,) if isinstance(self.key, str) else tuple(self.key)
        object.__setattr__(self, "columns", columns)
        object.__setattr__(self, "key", key or columns)
        if not columns or len(self.columns) != len(self.key):
            raise ContractError(
                "references: columns and key", found=f"{columns} to {key}", allowed="as many of one as of the other"
            )
        if not isinstance(self.table, str) or not self.table:
            raise ContractError("references: table", found=repr(self.table), allowed="the path of a table")
