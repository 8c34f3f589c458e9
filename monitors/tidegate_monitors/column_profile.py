"""What is kept of one column of a batch."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from operator import add
from typing import Any

from tidegate_monitors.cells import Cells, Kind
from tidegate_monitors.moments import Moments
from tidegate_monitors.registers import Registers

BUCKETS = 64


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column in a few hundred numbers: mergeable by addition.

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
        weekdays: For times, rows on each day of the week, Monday first, shape (7,); else empty.
        registers: How many different values there are, roughly; nothing of personal data.
        buckets: For numbers and categories, rows by six bits of their value's hash, shape (64,): one value that is
            suddenly frequent raises one bucket.
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
    weekdays: tuple[int, ...] = ()
    registers: Registers = field(default_factory=Registers)
    buckets: tuple[int, ...] = ()

    @classmethod
    def empty(cls, cells: Cells, rows: int = 0) -> ColumnProfile:
        """A column in which every value is missing."""
        return cls(
            rows=rows,
            missing=rows,
            counts=(0,) * cells.size,
            weekdays=(0,) * (7 if cells.kind is Kind.HOUR else 0),
            buckets=(0,) * (BUCKETS if cells.kind in (Kind.NUMERIC, Kind.CATEGORY) else 0),
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
            counts=_sum(self.counts, other.counts),
            weekdays=_sum(self.weekdays, other.weekdays),
            registers=self.registers + other.registers,
            buckets=_sum(self.buckets, other.buckets),
        )

    @property
    def present(self) -> int:
        """Rows with a value."""
        return self.rows - self.missing

    @property
    def distinct(self) -> int:
        """About how many different values there are (standard error 6.5 %); 0 of personal data."""
        return self.registers.estimate()

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "rows": self.rows,
            "missing": self.missing,
            "non_finite": self.non_finite,
            "zeros": self.zeros,
            "moments": asdict(self.moments),
            "log_moments": asdict(self.log_moments),
            "low": self.low,
            "high": self.high,
            "counts": list(self.counts),
            "weekdays": list(self.weekdays),
            "registers": self.registers.text,
            "buckets": list(self.buckets),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ColumnProfile:
        """Read what :meth:`to_dict` wrote."""
        moments = {name: Moments(**data[name]) for name in ("moments", "log_moments")}
        counts = {name: tuple(data[name]) for name in ("counts", "weekdays", "buckets")}
        return cls(**{**data, **moments, **counts, "registers": Registers(data["registers"])})


def missing_share(column: ColumnProfile) -> float:
    """The share of rows without a value, in [0, 1]; 0 for no rows."""
    return column.missing / column.rows if column.rows else 0.0


def _sum(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(map(add, one, other))
