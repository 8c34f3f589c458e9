"""An alarm: a statistical conclusion of ours; an alert is Prometheus's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from tidegate_contracts.severity import Severity


@dataclass(frozen=True, slots=True)
class Alarm:
    """One conclusion.

    Attributes:
        check: The catalogue's name for what is wrong.
        severity: How much it matters; only critical ones stop a batch.
        message: One sentence with numbers.
        column: The column concerned, or None for the table.
        slice: The subset of rows concerned, or None for all.
        score: What was measured.
        threshold: What it was held against, in the same unit.
        folded: Checks with the same cause that are not listed on their own.
        columns: Those concerned, where the table as a whole is; not told to readers of JSON, who have the message.
        kind: ``alarm``, or ``insufficient_evidence``: neither pass nor alarm.
    """

    check: str
    severity: Severity
    message: str
    column: str | None = None
    slice: str | None = None
    score: float | None = None
    threshold: float | None = None
    folded: tuple[str, ...] = ()
    kind: Literal["alarm", "insufficient_evidence"] = "alarm"
    columns: tuple[str, ...] = field(default=(), compare=False)

    def to_dict(self) -> dict[str, Any]:
        """The finding as it stands in every JSON."""
        return {
            "check": self.check,
            "kind": self.kind,
            "column": self.column,
            "slice": self.slice,
            "severity": self.severity.value,
            "failed": None,
            "score": self.score,
            "threshold": self.threshold,
            "message": self.message,
            "examples": [],
            "folded": list(self.folded),
            "rule": None,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Alarm:
        """Read what :meth:`to_dict` wrote."""
        return cls(
            check=data["check"],
            severity=Severity(data["severity"]),
            message=data["message"],
            column=data["column"],
            slice=data["slice"],
            score=data["score"],
            threshold=data["threshold"],
            folded=tuple(data["folded"]),
            kind=data["kind"],
        )
