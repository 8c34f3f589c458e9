"""The range of a column of numbers, with head-room, in numbers that a person would write."""

from __future__ import annotations

import math
import re
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate_contracts.draft import Rule
from tidegate_contracts.guesses.evidence import Evidence
from tidegate_contracts.types import LogicalType

_DOMAINS = (
    (re.compile(r"(^|_)(month|mon)$"), 1, 12),
    (re.compile(r"(^|_)(day|day_of_month)$"), 1, 31),
    (re.compile(r"(^|_)hour$"), 0, 24),
    (re.compile(r"(^|_)(minute|second)$"), 0, 60),
    (re.compile(r"(^|_)lat(itude)?$"), -90, 90),
    (re.compile(r"(^|_)(lon|lng|long|longitude)$"), -180, 180),
    (re.compile(r"(^|_)(dir|direction|bearing|heading|azimuth)(_|$)"), 0, 360),
    (re.compile(r"(^|_)(pct|percent|percentage)(_|$)"), 0, 100),
)
"""What people know of a number by its name; it counts only where all values lie inside."""
_SHARE = re.compile(r"(^|_)(p|prob|probability|score|share|ratio|rate|fraction|frac|proportion|confidence)(_|$)")
_NUMBERED = re.compile(r"(^|_)(id|key|no|nr|num|number|code|year)$")
"""Numbers that name or count up, so that tomorrow's are larger."""
_ATOM_ROWS = 10
_ATOM_SHARE = 0.005
_LONG_TAIL = 10
_NEAR = 10
_FEW = 1_000
_EXACT = 2**53


def bounds(evidence: Evidence, numbers: npt.NDArray[Any], spans: int) -> tuple[tuple[Rule, ...], tuple[str, ...]]:
    """The rules for a column of numbers, and what was guessed.

    Args:
        evidence: What was seen of the column.
        numbers: Its values without those that look like faults, sorted; shape (values,).
        spans: How many times the span of its values is left beyond its extremes.
    """
    if not numbers.size:
        return (), ()
    low, high = numbers[0].item(), numbers[-1].item()
    if {low, high} == {0, 1} and np.isin(numbers, (0, 1)).all():
        return (Rule("isin", ([0, 1],)),), ("a flag, 0 or 1",)
    if low == high:
        return _sign(low, high), (f"the same value in all {evidence.rows} rows: its range is not known",)
    known = _known(evidence, low, high)
    if known is not None:
        return known
    if _NUMBERED.search(evidence.name.lower()) or (evidence.unique and evidence.logical is LogicalType.INTEGER):
        return _sign(low, high), ()
    floor, ceiling = _with_head_room(numbers, low, high, spans)
    return _range(floor, ceiling, low, high), ()


def _known(evidence: Evidence, low: float, high: float) -> tuple[tuple[Rule, ...], tuple[str, ...]] | None:
    """A range that everybody knows: by the name, or of a share."""
    name = evidence.name.lower()
    for pattern, least, most in _DOMAINS:
        if pattern.search(name) and least <= low and high <= most:
            return (Rule("in_range", (least, most)),), ("its range by its name",)
    if evidence.logical is LogicalType.NUMBER and low >= 0 and high <= 1:
        if _SHARE.search(name):
            return (Rule("in_range", (0, 1)),), ()
        if low <= 0.05 and high >= 0.95:
            return (Rule("in_range", (0, 1)),), ("a share, because its values fill 0 to 1",)
    return None


def _sign(low: float, high: float) -> tuple[Rule, ...]:
    if low >= 0:
        return (Rule("ge", (0,)),)
    return (Rule("le", (0,)),) if high <= 0 else ()


def _with_head_room(numbers: npt.NDArray[Any], low: Any, high: Any, spans: int) -> tuple[Decimal, Decimal]:
    """The bounds: some spans beyond the extremes, ten times the maximum of a long tail, nothing beyond a limit.

    Where little was seen of numbers that are not far from zero, the range is at least from zero to twice the maximum.
    """
    with localcontext() as context:
        context.prec = 400  # exact for every float
        bottom, top = Decimal(low), Decimal(high)
        span = (top - bottom) * (spans if numbers.size >= _FEW else max(spans, 2))
        floor, ceiling = _down(bottom - span, span), _up(top + span, span)
        if low >= 0:
            near = spans > 1 and bottom < _NEAR * (top - bottom)
            floor = Decimal(0) if near or floor < 0 else floor
            ceiling = max(ceiling, _up(top * 2, top)) if near else ceiling
            ceiling = _up(top * _LONG_TAIL, top) if _has_long_tail(numbers, high) else ceiling
        if high <= 0:
            ceiling = min(ceiling, Decimal(0))
        return bottom if low == 1 and _is_limit(numbers, low) else floor, top if _is_limit(numbers, high) else ceiling


def _is_limit(numbers: npt.NDArray[Any], end: Any) -> bool:
    """Whether many rows sit exactly on an end that is a round number: 100 % humidity, ratings from 1 to 5."""
    sitting = int(np.searchsorted(numbers, end, "right") - np.searchsorted(numbers, end, "left"))
    digits = Decimal(repr(end)).normalize().as_tuple().digits
    return len(digits) <= 2 and end == int(end) and end > 0 and sitting >= max(_ATOM_ROWS, _ATOM_SHARE * numbers.size)


def _has_long_tail(numbers: npt.NDArray[Any], high: Any) -> bool:
    """Whether most are 0, as of rain, or the greatest is many times the median, as of amounts of money."""
    positive = numbers[np.searchsorted(numbers, 0, "right") :]
    if 2 * positive.size < numbers.size:
        return True
    return bool(high >= _LONG_TAIL * float(positive[positive.size // 2]))


def _down(bound: Decimal, size: Decimal) -> Decimal:
    """The bound, lowered to a number with one digit where the size has its first."""
    step = Decimal(1).scaleb(size.adjusted())
    return (bound / step).to_integral_value(ROUND_FLOOR) * step


def _up(bound: Decimal, size: Decimal) -> Decimal:
    step = Decimal(1).scaleb(size.adjusted())
    return (bound / step).to_integral_value(ROUND_CEILING) * step


def _range(floor: Decimal, ceiling: Decimal, low: Any, high: Any) -> tuple[Rule, ...]:
    """The rules for two bounds; a bound that a column's type cannot hold is left out."""
    least, most = _number(floor, low), _number(ceiling, high)
    if least is not None and most is not None:
        return (Rule("in_range", (least, most)),)
    if least is not None:
        return (Rule("ge", (least,)),)
    return (Rule("le", (most,)),) if most is not None else ()


def _number(bound: Decimal, seen: Any) -> int | float | None:
    """A bound as it is written: whole where it is whole; None beyond what floats or 64 bits hold."""
    if bound == bound.to_integral_value() and abs(bound) <= _EXACT:
        return int(bound)
    if isinstance(seen, int):
        return int(bound) if -(2**63) <= bound < 2**63 else None
    number = float(bound)
    return number if math.isfinite(number) else None
