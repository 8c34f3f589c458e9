"""Values in another unit: a constant multiple of what they used to be, or another scale of temperature."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.cells import Kind
from tidegate_monitors.rules import Evidence, rule
from tidegate_monitors.rules.likeness import BLOCKS_MINIMUM, ROWS_MINIMUM, block_looks

FACTORS = {
    "×10": 10.0,
    "×100": 100.0,
    "×1000": 1000.0,
    "×1,000,000": 1e6,
    "minutes as seconds, or hours as minutes": 60.0,
    "hours as seconds": 3600.0,
    "days as hours": 24.0,
    "miles as kilometres": 1.609344,
    "metres as feet": 1 / 0.3048,
    "inches as centimetres": 2.54,
    "kilograms as pounds": 1 / 0.45359237,
    "gallons as litres": 3.785411784,
}
CONVERSIONS = {
    "°F as °C": (5 / 9, -160 / 9),
    "°C as °F": (9 / 5, 32.0),
    "K as °C": (1.0, -273.15),
    "°C as K": (1.0, 273.15),
    "K as °F": (9 / 5, -459.67),
    "°F as K": (5 / 9, 459.67 * 5 / 9),
}
"""Factor and offset of each conversion that is no multiple."""

_TEMPERATURES = {
    **dict.fromkeys(("°f", "f", "degf", "fahrenheit"), "°F"),
    **dict.fromkeys(("°c", "c", "degc", "celsius"), "°C"),
    **dict.fromkeys(("k", "kelvin"), "K"),
}
_BLOCK_SDS = 6.0
_SAME_SDS = 3.0
_NO_SHAPE = math.log(2e-9)  # the logarithm of the spread of equal values, and a little more
_CONVERTED_SDS = 4.0
_MEAN_SDS = 2.0
_MEAN_SHARE = 0.15
_BEYOND_DOUBT = 3.0


@rule
def unit_change(evidence: Evidence) -> Iterator[Alarm]:
    """The level moved as a known conversion would move it, and the spread did what it would do.

    *Factors.* A multiplied column keeps the shape of ln|x| and moves its mean by the logarithm of the factor. The move
    must be at least six times what the reference's own blocks move, so that levels which wander cannot look like a
    unit. The score is the move over six standard deviations between blocks; the threshold is 1.

    *Temperatures.* A converted column has the mean a·m + b and the standard deviation a·s. The conversions tried are
    those from the column's ``unit``, or those with kelvins where no unit is said. The mean must have moved at least
    four times what blocks move, and out of the range that they covered by half of that range; it must lie where the
    conversion takes the blocks' mean, to two of their standard deviations or 15 % of the way. The spread must be the
    converted one, to three standard deviations between blocks, and nearer to it than to the usual one unless the move
    is three times the threshold. The score is the move over four standard deviations between blocks; the threshold is
    1.
    Degrees that are usual in both units, as those of summer in °C and of winter in °F, show nothing.
    """
    for column in evidence.watched():
        if evidence.reference.layout.cells[column].kind is Kind.NUMERIC:
            found = _converted(evidence, column)
            if found is None and not _is_temperature(evidence.contract.columns[column].unit):
                found = _multiplied(evidence, column)
            if found:
                yield Alarm(
                    "unit_change",
                    evidence.contract.severity_of("unit_change", Severity.CRITICAL, column),
                    f"column {column!r}: {found[1]}",
                    column,
                    score=found[0],
                    threshold=1.0,
                )


def _is_temperature(unit: str | None) -> bool:
    """Whether a unit is one of those that no factor leads from one to another."""
    return (unit or "").strip().lower() in _TEMPERATURES


def _multiplied(evidence: Evidence, column: str) -> tuple[float, str] | None:
    """The score and what happened, where a column was multiplied by a known factor."""
    current = evidence.current.columns[column].log_moments
    blocks = block_looks(evidence.reference, column)
    if current.n < ROWS_MINIMUM or current.sd < 1e-9 or len(blocks) < 2:
        return None
    means, log_widths = blocks[:, 2], blocks[:, 3]
    if log_widths.min() < _NO_SHAPE:
        return None  # constant columns have no shape to keep
    move, wander = current.mean - float(means.mean()), max(float(means.std()), 0.01)
    score = abs(move) / (_BLOCK_SDS * wander)
    if score <= 1:
        return None
    name, gap = min(
        ((_named(label, sign), abs(move - sign * math.log(f))) for label, f in FACTORS.items() for sign in (1, -1)),
        key=lambda item: item[1],
    )
    widened = abs(math.log(current.sd) - float(log_widths.mean()))
    same_shape = widened <= max(_SAME_SDS * float(log_widths.std()), 0.05)
    if gap <= _SAME_SDS * wander and same_shape:
        return score, f"values are {math.exp(move):.4g} times the reference's, in the same shape ({name})"
    return None


def _converted(evidence: Evidence, column: str) -> tuple[float, str] | None:
    """The score and what happened, where a column of temperatures came in another unit."""
    conversions = possible(evidence.contract.columns[column].unit)
    current = evidence.current.columns[column].moments
    if not conversions or current.n < ROWS_MINIMUM or current.sd <= 0:
        return None
    blocks = block_looks(evidence.reference, column)
    blocks = blocks[blocks[:, 1] > _NO_SHAPE]
    if len(blocks) < BLOCKS_MINIMUM:
        return None
    means, widths = blocks[:, 0], blocks[:, 1]
    middle, wander, low, high = (float(item) for item in (means.mean(), means.std(), means.min(), means.max()))
    score = abs(current.mean - middle) / max(_CONVERTED_SDS * wander, 1e-9)
    if score <= 1 or max(low - current.mean, current.mean - high) <= (high - low) / 2:
        return None
    widened, wide = math.log(current.sd) - float(widths.mean()), max(float(widths.std()), 0.02)
    for name, (factor, offset) in conversions.items():
        goal = factor * middle + offset
        mean_fits = abs(current.mean - goal) <= max(_MEAN_SDS * factor * wander, _MEAN_SHARE * abs(goal - middle))
        rest = abs(widened - math.log(factor))
        near = factor == 1 or score > _BEYOND_DOUBT or rest <= abs(widened)
        if mean_fits and near and rest <= _SAME_SDS * wide:
            moved = f"their mean moved from {middle:.4g} to {current.mean:.4g}"
            return score, f"values look like {name}: {moved}, and their spread as that would change it"
    return None


def possible(unit: str | None) -> Mapping[str, tuple[float, float]]:
    """The conversions from the unit that the contract says; from an unsaid one those that no season can do."""
    known = _TEMPERATURES.get((unit or "").strip().lower())
    if unit is None:
        return {name: way for name, way in CONVERSIONS.items() if "K" in name}
    return {name: way for name, way in CONVERSIONS.items() if name.split(" as ")[0] == known}


def _named(label: str, sign: int) -> str:
    return label if sign > 0 else f"the inverse of {label}"
