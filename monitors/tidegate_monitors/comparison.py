"""A comparison: one statistic of one column, with the score above which it alarms."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Place = tuple[str | None, str | None, str, int]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One statistic of one column.

    Attributes:
        column: The column; None for the table.
        statistic: The statistic's name.
        check: The catalogue name it alarms under.
        score: 0 where there is no difference, larger where there is more; None for too little evidence.
        direction: 1 for more than the reference, -1 for less, 0 where the statistic has no direction.
        threshold: The score above which it alarms; None where the statistic is only reported.
        slice: The subset of rows, as ``column=value``; None for all.
        latest: The score over its threshold against the latest accepted blocks; None where there are none besides the
            reference. An alarm needs both to exceed.
        columns: Those concerned, where the table as a whole is: the pair whose relation changed most.
        since: The batch since which this place has exceeded in every batch; None where it does not.
    """

    column: str | None
    statistic: str
    check: str
    score: float | None
    direction: int = 0
    threshold: float | None = None
    slice: str | None = None
    latest: float | None = None
    columns: tuple[str, ...] = ()
    since: str | None = None

    @property
    def ratio(self) -> float | None:
        """Score over threshold, the milder of pinned and latest: above 1 alarms. None where either is missing."""
        if self.pinned is None or self.latest is None:
            return self.pinned
        return min(self.pinned, self.latest)

    @property
    def pinned(self) -> float | None:
        """Score over threshold against the reference alone."""
        if self.score is None or self.threshold is None:
            return None
        return self.score / self.threshold if self.threshold > 0 else (0.0 if self.score == 0 else 1e9)

    @property
    def exceeds(self) -> bool:
        """Whether the score lies above its threshold."""
        return self.ratio is not None and self.ratio > 1

    @property
    def place(self) -> Place:
        """What must agree for two exceedances in a row to be the same thing."""
        return self.column, self.slice, self.statistic, self.direction

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "column": self.column,
            "statistic": self.statistic,
            "check": self.check,
            "score": self.score,
            "direction": self.direction,
            "threshold": self.threshold,
            "slice": self.slice,
            "latest": self.latest,
            "columns": list(self.columns),
            "since": self.since,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Comparison:
        """Read what :meth:`to_dict` wrote."""
        return cls(**{**data, "columns": tuple(data.get("columns", ()))})


def exceeded(comparisons: Iterable[Comparison]) -> dict[Place, str | None]:
    """The places that exceeded their thresholds and since which batch, for the next batch to be read against."""
    return {comparison.place: comparison.since for comparison in comparisons if comparison.exceeds}
