"""The profile: what one pass over a batch keeps of it. Rows stop here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa

from tidegate_contracts.types import LogicalType, logical_type
from tidegate_monitors.cells import Cells, Kind
from tidegate_monitors.fingerprint import Fingerprint
from tidegate_monitors.layout import Layout
from tidegate_monitors.moments import Moments

FORMAT = 1


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """What is kept of one column.

    Attributes:
        rows: Rows delivered.
        missing: Null or NaN.
        non_finite: Infinite.
        zeros: Equal to zero.
        moments: Of the finite values; none of an identifier or of personal data.
        log_moments: Of ln|x| of the finite values other than zero.
        low: The least finite value; None where there is none or it is no number.
        high: The greatest.
        counts: Rows in each cell of the layout.
    """

    rows: int = 0
    missing: int = 0
    non_finite: int = 0
    zeros: int = 0
    moments: Moments = field(default_factory=Moments)
    log_moments: Moments = field(default_factory=Moments)
    low: float | None = None
    high: float | None = None
    counts: tuple[int, ...] = ()

    @classmethod
    def of(cls, values: Any, cells: Cells) -> ColumnProfile:
        """Profile one Arrow column."""
        counts = tuple(cells.count(values).tolist())
        if logical_type(values.type) not in (LogicalType.INTEGER, LogicalType.NUMBER):
            return cls(rows=len(values), missing=values.null_count, counts=counts)
        numbers = np.asarray(values.drop_null().cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)
        present = numbers[~np.isnan(numbers)]
        finite = present[np.isfinite(present)]
        non_finite = int(present.size - finite.size)
        if cells.kind is Kind.NONE:  # an identifier, or personal: nothing is kept that could name somebody
            finite = finite[:0]
        return cls(
            rows=len(values),
            missing=len(values) - present.size,
            non_finite=non_finite,
            zeros=int((present == 0).sum()),
            moments=Moments.of(finite),
            log_moments=Moments.of(np.log(np.abs(finite[finite != 0]))),
            low=float(finite.min()) if finite.size else None,
            high=float(finite.max()) if finite.size else None,
            counts=counts,
        )

    def __add__(self, other: ColumnProfile) -> ColumnProfile:
        return ColumnProfile(
            rows=self.rows + other.rows,
            missing=self.missing + other.missing,
            non_finite=self.non_finite + other.non_finite,
            zeros=self.zeros + other.zeros,
            moments=self.moments + other.moments,
            log_moments=self.log_moments + other.log_moments,
            low=min((x for x in (self.low, other.low) if x is not None), default=None),
            high=max((x for x in (self.high, other.high) if x is not None), default=None),
            counts=tuple(a + b for a, b in zip(self.counts, other.counts, strict=True)),
        )

    @property
    def present(self) -> int:
        """Rows with a value."""
        return self.rows - self.missing

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ColumnProfile:
        """Read what ``dataclasses.asdict`` wrote."""
        moments = {name: Moments(**data[name]) for name in ("moments", "log_moments")}
        return cls(**{**data, **moments, "counts": tuple(data["counts"])})


@dataclass(frozen=True, slots=True)
class Profile:
    """A batch in kilobytes: mergeable, serialisable, without a row in it.

    Profiles of the same layout form a commutative monoid under ``+``, with :meth:`empty` as identity: the profile of
    a batch is the sum of the profiles of its parts (counts exactly, moments to rounding).

    Attributes:
        layout: The sha256 of the layout that was counted into.
        rows: Rows delivered.
        columns: By column.
        fingerprint: The identity of the rows as a multiset.
    """

    layout: str
    rows: int
    columns: Mapping[str, ColumnProfile]
    fingerprint: Fingerprint

    @classmethod
    def of(cls, table: Any, layout: Layout) -> Profile:
        """Profile a ``pyarrow.Table`` in one pass over its columns; a column it lacks is profiled as missing."""
        absent = pa.chunked_array([pa.nulls(table.num_rows)])
        columns = {
            name: ColumnProfile.of(table.column(name) if name in table.column_names else absent, cells)
            for name, cells in layout.cells.items()
        }
        return cls(layout.sha256, table.num_rows, MappingProxyType(columns), Fingerprint.of(table))

    @classmethod
    def empty(cls, layout: Layout) -> Profile:
        """The identity: no rows."""
        columns = {name: ColumnProfile(counts=(0,) * cells.size) for name, cells in layout.cells.items()}
        return cls(layout.sha256, 0, MappingProxyType(columns), Fingerprint())

    def __add__(self, other: Profile) -> Profile:
        if self.layout != other.layout:
            raise ValueError(f"profiles of different layouts cannot be added: {self.layout[:12]}, {other.layout[:12]}")
        columns = {name: column + other.columns[name] for name, column in self.columns.items()}
        return Profile(
            self.layout,
            self.rows + other.rows,
            MappingProxyType(columns),
            self.fingerprint + other.fingerprint,
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "format": FORMAT,
            "layout": self.layout,
            "rows": self.rows,
            "columns": {name: asdict(column) for name, column in self.columns.items()},
            "fingerprint": str(self.fingerprint),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Profile:
        """Read what :meth:`to_dict` wrote; refuses a newer format."""
        if data["format"] > FORMAT:
            raise ValueError(f"profile format {data['format']} is newer than {FORMAT}")
        columns = {name: ColumnProfile.from_dict(item) for name, item in data["columns"].items()}
        return cls(
            data["layout"],
            data["rows"],
            MappingProxyType(columns),
            Fingerprint.parse(data["fingerprint"]),
        )


def missing_share(column: ColumnProfile) -> float:
    """The share of rows without a value, in [0, 1]; 0 for no rows."""
    return column.missing / column.rows if column.rows else 0.0
