"""Numbers that stand for "missing", or that lie so far outside that they can only be faults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

_CODES = frozenset(
    {
        0,
        *(sign * (10**digits - 1) for digits in range(2, 10) for sign in (1, -1)),
        -1,
        -9,
        -(2**31),
        2**31 - 1,
        -(2**15),
    }
)
_ROWS = 20
_WILD_ROWS = 200
_WILD_SHARE = 0.001
_WILD_SPANS = 10


@dataclass(frozen=True, slots=True)
class Split:
    """A column's numbers, and those among them that look like faults.

    Attributes:
        numbers: The others, sorted; shape (values,).
        outside: How many look like faults.
        notes: What was seen.
    """

    numbers: npt.NDArray[Any]
    outside: int
    notes: tuple[str, ...]


def split(numbers: npt.NDArray[Any], *, seldom: int) -> Split:
    """Set numbers apart that lie outside all others by more than these span.

    A code for "missing" (0, -999, 9999, …) must lie more than one span of the others away, and any other number ten
    spans, seldom, and among many.

    Args:
        numbers: Finite numbers, sorted; shape (values,).
        seldom: In how many distinct values the others must come at least.
    """
    outside, notes = 0, []
    for end in (0, -1):
        rest, value = numbers, None
        if numbers.size >= _ROWS:
            value = numbers[end].item()
            rest = (
                numbers[np.searchsorted(numbers, value, "right") :]
                if end == 0
                else numbers[: np.searchsorted(numbers, value)]
            )
        if value is None or not _is_fault(value, numbers.size - rest.size, rest, seldom):
            continue
        count = numbers.size - rest.size
        times = "1 row" if count == 1 else f"{count} rows"
        notes.append(f"{value!r} in {times} lies far outside and is left out: missing values, or a fault?")
        outside, numbers = outside + count, rest
    return Split(numbers, outside, tuple(notes))


def _is_fault(value: Any, count: int, rest: npt.NDArray[Any], seldom: int) -> bool:
    if rest.size < _ROWS // 2 or np.unique(rest).size < seldom:
        return False
    low, high = float(rest[0]), float(rest[-1])
    gap, span = max(low - value, value - high), high - low
    if value in _CODES:
        return bool(gap > span and (value != 0 or gap > 5 * span))
    return bool(rest.size >= _WILD_ROWS and count <= _WILD_SHARE * rest.size and gap > _WILD_SPANS * span)
