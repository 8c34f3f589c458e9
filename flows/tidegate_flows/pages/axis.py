"""An axis: where values stand, and at which of them there is a tick."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, isclose, log10

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Axis:
    """A straight scale.

    Attributes:
        low: The value at its start.
        high: The value at its end, greater.
        start: Where that stands on the drawing.
        end: Where that stands; less than the start for an axis that goes up.
        step: The distance of ticks, above zero.
    """

    low: float
    high: float
    start: float
    end: float
    step: float

    @classmethod
    def over(cls, values: Iterable[float], start: float, end: float, *, ticks: int = 5, tight: bool = False) -> Axis:
        """One that holds some values, from tick to tick; if tight, only as far as they reach."""
        found = [*values]
        low, high = min(found), max(found)
        if isclose(low, high, abs_tol=1e-12):
            pad = abs(low) / 2 or 0.5
            low, high = low - pad, high + pad
        rough = (high - low) / ticks
        power = 10.0 ** floor(log10(rough))
        step = next(factor * power for factor in _STEPS if factor * power >= rough * (1 - 1e-9))
        if not tight:
            low, high = floor(low / step + 1e-9) * step, ceil(high / step - 1e-9) * step
        return cls(low, high, start, end, step)

    def at(self, value: float) -> float:
        """Where a value stands; values beyond the ends stand at the ends."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """The values with a tick, and what is written there."""
        first, last = ceil(self.low / self.step - 1e-9), floor(self.high / self.step + 1e-9)
        decimals = max(0, -floor(log10(self.step) + 1e-9))
        if not isclose(round(self.step, decimals), self.step, rel_tol=1e-6):
            decimals += 1
        return [(index * self.step, _written(index * self.step, decimals)) for index in range(first, last + 1)]


def _written(value: float, decimals: int) -> str:
    return f"{value:,.{decimals}f}".replace("-", "−") if round(value, decimals) else "0"
