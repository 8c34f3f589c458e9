"""A cohort: the scored rows of one published batch, with the labels that have come for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from tidegate_contracts.batch import Window, iso, parse_iso
from tidegate_monitors.tally import Tally

FORMAT = 2
WHOLE = ""
"""The name of the one tally where the label is a number or has two classes."""


@dataclass(frozen=True, slots=True)
class Cohort:
    """What is kept of one batch's predictions and labels: kilobytes, no rows.

    Attributes:
        batch: Its id.
        window: Its event times; None where it has none.
        rows: Rows published.
        settled: Those of which it is known what came true, or that nothing will.
        labelled: Those with a label.
        reversed: Those whose label has changed since it first came.
        edges: The inner edges of the buckets of predictions; empty where no reference has fixed them.
        tallies: The sums; one under ``""``, or for several classes one a class, each against the rest.
        confusion: For several classes the rows by predicted class and label, in the order of the classes; else empty.
        versions: Rows by the model that scored them, where the contract names the column.
        ended: The window's end; without a window, when the batch was decided on; None where neither is known.
    """

    batch: str
    window: Window | None
    rows: int
    settled: int
    labelled: int
    reversed: int
    edges: tuple[float, ...]
    tallies: Mapping[str, Tally]
    confusion: tuple[tuple[int, ...], ...] = ()
    versions: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    ended: datetime | None = None

    @property
    def settled_share(self) -> float:
        """The share of rows of which it is known what came true, or that nothing will; 0 for no rows."""
        return self.settled / self.rows if self.rows else 0.0

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes where there are several; empty for a number and for two."""
        return () if WHOLE in self.tallies else tuple(self.tallies)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "format": FORMAT,
            "batch": self.batch,
            "window": [iso(self.window.start), iso(self.window.end)] if self.window else None,
            "rows": self.rows,
            "settled": self.settled,
            "labelled": self.labelled,
            "reversed": self.reversed,
            "edges": list(self.edges),
            "tallies": {name: tally.to_dict() for name, tally in self.tallies.items()},
            "confusion": [list(row) for row in self.confusion],
            "versions": dict(self.versions),
            "ended": iso(self.ended) if self.ended is not None else None,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Cohort:
        """Read what :meth:`to_dict` wrote."""
        start, end = (parse_iso(text) for text in data["window"] or (None, None))
        return cls(
            data["batch"],
            Window(start, end) if start and end else None,
            data["rows"],
            data["settled"],
            data["labelled"],
            data["reversed"],
            tuple(data["edges"]),
            MappingProxyType({name: Tally.from_dict(item) for name, item in data["tallies"].items()}),
            tuple(tuple(row) for row in data["confusion"]),
            MappingProxyType(dict(data["versions"])),
            parse_iso(data["ended"]) if data["ended"] is not None else None,
        )
