"""Values that are a constant multiple of what they used to be."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.cells import Kind
from tidegate_monitors.rules import Evidence, rule

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
_ROWS_MINIMUM = 30
_BLOCK_SDS = 6.0
_SAME_SDS = 3.0


@rule
def unit_change(evidence: Evidence) -> Iterator[Alarm]:
    """The geometric mean moved by a known factor, and the spread of logarithms did not.

    A multiplied column keeps the shape of ln|x| and moves its mean by the logarithm of the factor. The move must be
    at least six times what the reference's own blocks move, so that levels which wander cannot look like a unit.
    The score is the move over six standard deviations between blocks; the threshold is 1.
    """
    for column in evidence.watched():
        if evidence.reference.layout.cells[column].kind is Kind.NUMERIC:
            yield from _judge(evidence, column)


def _judge(evidence: Evidence, column: str) -> Iterator[Alarm]:
    current = evidence.current.columns[column].log_moments
    blocks = [block.profile.columns[column].log_moments for block in evidence.reference.blocks]
    blocks = [block for block in blocks if block.n >= _ROWS_MINIMUM]
    if current.n < _ROWS_MINIMUM or len(blocks) < 2:
        return
    means, widths = np.array([b.mean for b in blocks]), np.array([b.sd for b in blocks])
    if current.sd < 1e-9 or widths.min() < 1e-9:
        return  # constant columns have no shape to keep
    move, wander = current.mean - float(means.mean()), max(float(means.std()), 0.01)
    name, gap = min(
        ((_named(label, sign), abs(move - sign * math.log(f))) for label, f in FACTORS.items() for sign in (1, -1)),
        key=lambda item: item[1],
    )
    log_widths = np.log(widths)
    widened = abs(math.log(current.sd) - float(log_widths.mean()))
    same_shape = widened <= max(_SAME_SDS * float(log_widths.std()), 0.05)
    score = abs(move) / (_BLOCK_SDS * wander)
    if score > 1 and gap <= _SAME_SDS * wander and same_shape:
        yield Alarm(
            "unit_change",
            evidence.contract.severity_of("unit_change", Severity.CRITICAL, column),
            f"column {column!r}: values are {math.exp(move):.4g} times the reference's, in the same shape ({name})",
            column,
            score=score,
            threshold=1.0,
        )


def _named(label: str, sign: int) -> str:
    return label if sign > 0 else f"the inverse of {label}"
