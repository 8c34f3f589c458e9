"""A draft of a contract: what data suggest, for a person to keep, change or strike out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Rule:
    """One pandera check.

    Attributes:
        check: The name of pandera's constructor, such as ``in_range``.
        arguments: What it is called with.
    """

    check: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class DraftColumn:
    """What data suggest of one column.

    Attributes:
        name: The column's name.
        dtype: Its data type as Python source; None leaves it open.
        nullable: Whether a value was missing.
        required: Whether it stood in every file.
        unique: Whether it identifies a row by itself.
        rules: Checks of its values.
        personal: Whether it seems to hold personal data; then none of its values stand here.
        outside: How many rows its rules leave out, because their value looks like a fault.
        notes: What was guessed, for people.
    """

    name: str
    dtype: str | None
    nullable: bool
    required: bool = True
    unique: bool = False
    rules: tuple[Rule, ...] = ()
    personal: bool = False
    outside: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of the contract.

    Attributes:
        name: Its name.
        value: Its value.
        note: Why.
        proposed: Whether it is only proposed, and stands in a comment.
    """

    name: str
    value: Any
    note: str
    proposed: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """What data suggest of a dataset.

    Attributes:
        files: How many files were looked at.
        rows: How many rows they held together.
        columns: Their columns, in the order in which they were met.
        arguments: What the contract says besides its schema.
    """

    files: int
    rows: int
    columns: tuple[DraftColumn, ...]
    arguments: tuple[Argument, ...] = ()

    @property
    def outside(self) -> int:
        """How many values the draft leaves out because they look like faults."""
        return sum(column.outside for column in self.columns)

    @property
    def guesses(self) -> int:
        """How many guesses somebody should look at."""
        return sum(len(column.notes) for column in self.columns) + len(self.arguments)
