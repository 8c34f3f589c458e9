"""What it means that a column has another type, by the values that each type can hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from tidegate_contracts.categories import categories_of
from tidegate_contracts.diff.change import Change, Side, breaking, loosening, semantic, tightening, words
from tidegate_contracts.identity import stable_repr
from tidegate_contracts.types import ANY, DeclaredType, LogicalType

_FINER = ("s", "ms", "us", "ns")
_SIDES = {
    (LogicalType.INTEGER, LogicalType.NUMBER): Side.CONSUMER,  # whole numbers still pass, but fractions are read
    (LogicalType.NUMBER, LogicalType.INTEGER): Side.PRODUCER,  # fractions are refused, and whole numbers are read
    (LogicalType.TEXT, LogicalType.CATEGORY): Side.CONSUMER,  # the same text passes, and is read as another type
    (LogicalType.CATEGORY, LogicalType.TEXT): Side.CONSUMER,
}


@dataclass(frozen=True, slots=True)
class Span:
    """The values that a type can hold.

    Attributes:
        least: The least value or exponent, on a scale that only spans of one family share.
        most: The greatest.
        finest: How finely values are told apart; higher is finer.
    """

    least: float
    most: float
    finest: int

    def holds(self, other: Span) -> bool:
        """Whether each value of the other is one of these."""
        return self.least <= other.least and self.most >= other.most and self.finest >= other.finest


def changes(old: DeclaredType, new: DeclaredType, column: str) -> Iterator[Change]:
    """What changes for a column that was of one type and is of another."""
    said = ("type", _said(old), _said(new), column)
    if ANY in (old, new) and old != new:
        yield (tightening if old == ANY else loosening)(*said)
    elif old.logical is not new.logical:
        yield breaking(*said, _SIDES.get((old.logical, new.logical), Side.BOTH))
    elif old.logical is LogicalType.CATEGORY:
        yield from _category_changes(old.native, new.native, column)
    elif None in (old.arrow, new.arrow) and old.arrow is not new.arrow:
        yield breaking(*said)
    elif old.arrow != new.arrow:
        yield from _arrow_changes(old.arrow, new.arrow, said)
    elif said[1] != said[2]:
        yield words(*said)  # the same values in another container


def _arrow_changes(old: Any, new: Any, said: tuple[str, str, str, str]) -> Iterator[Change]:
    if pa.types.is_timestamp(old) and pa.types.is_timestamp(new):
        if (old.tz is None) is not (new.tz is None):
            yield breaking(*said)
            return
        if old.tz != new.tz:
            yield semantic("time zone", old.tz, new.tz, said[3], Side.CONSUMER)
    before, after = _span(old), _span(new)
    if before is None or after is None:  # decimals, lists: no scale of ours holds them
        yield breaking(*said)
        return
    if not after.holds(before):
        yield tightening(*said)
    if not before.holds(after):
        yield loosening(*said)


def _span(arrow: Any) -> Span | None:
    if pa.types.is_integer(arrow):
        signed = pa.types.is_signed_integer(arrow)
        return Span(-(2 ** (arrow.bit_width - 1)) if signed else 0, 2 ** (arrow.bit_width - signed), 0)
    if pa.types.is_floating(arrow):
        return Span(-arrow.bit_width, arrow.bit_width, arrow.bit_width)
    if pa.types.is_timestamp(arrow) or pa.types.is_duration(arrow):
        finest = _FINER.index(arrow.unit)
        return Span(finest, -finest, finest)  # the finer the unit, the shorter the years that it reaches
    return Span(0, 0, 0) if pa.types.is_date(arrow) or pa.types.is_boolean(arrow) else None


def _category_changes(old: Any, new: Any, column: str) -> Iterator[Change]:
    before, after = categories_of(old), categories_of(new)
    if before is None or after is None:
        if before is not None:
            yield loosening("categories", list(before), None, column)
        elif after is not None:
            yield tightening("categories", None, list(after), column)
        return
    lost = [item for item in before if item not in set(after)]
    gained = [item for item in after if item not in set(before)]
    if lost:
        yield tightening("categories", lost, None, column)
    if gained:
        yield loosening("categories", None, gained, column)
    ordered = (bool(getattr(old, "ordered", False)), bool(getattr(new, "ordered", False)))
    if ordered[0] is not ordered[1]:
        yield semantic("ordered categories", *ordered, column, Side.CONSUMER)
    was, is_ = ([item for item in items if item not in {*lost, *gained}] for items in (before, after))
    if was != is_:
        yield semantic("order of categories", was, is_, column, Side.CONSUMER if all(ordered) else Side.NONE)


def _said(declared: DeclaredType) -> str:
    native = declared.native
    if getattr(native, "categories", None) is not None:
        return f"category of {stable_repr(list(native.categories))}"
    return str(declared)
