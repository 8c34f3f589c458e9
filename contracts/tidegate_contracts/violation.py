"""A clause of the contract that rows or structure broke."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from tidegate_contracts.severity import Severity


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken clause.

    Attributes:
        check: The catalogue's name for what is wrong.
        rule: The clause as it was declared, with its arguments.
        severity: Critical violations quarantine the batch.
        message: One sentence with numbers.
        column: The column concerned, or None for the table.
        failed: How many rows broke it; None where it is about the table as a whole.
        examples: Keys of up to five failing rows, never values of other columns.
    """

    check: str
    rule: str
    severity: Severity
    message: str
    column: str | None = None
    failed: int | None = None
    examples: tuple[str, ...] = ()

    kind: Literal["violation"] = "violation"

    def to_dict(self) -> dict[str, Any]:
        """The finding as it stands in every JSON."""
        return {
            "check": self.check,
            "kind": self.kind,
            "column": self.column,
            "slice": None,
            "severity": self.severity.value,
            "failed": self.failed,
            "score": None,
            "threshold": None,
            "message": self.message,
            "examples": list(self.examples),
            "folded": [],
            "rule": self.rule,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Violation:
        """Read what :meth:`to_dict` wrote."""
        return cls(
            check=data["check"],
            rule=data["rule"],
            severity=Severity(data["severity"]),
            message=data["message"],
            column=data["column"],
            failed=data["failed"],
            examples=tuple(data["examples"]),
        )


def failing_rows(column: str | None, count: int, rows: int, rule: str) -> str:
    """The message of a clause that some rows broke: how many of how many, and which clause."""
    where = f"column {column!r}" if column else "the table"
    return f"{where}: {count} of {rows} rows ({count / rows:.2%}) fail: {rule}"
