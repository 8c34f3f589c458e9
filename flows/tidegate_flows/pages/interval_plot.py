"""Biases with their intervals, a row each, against the tolerance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tidegate_flows.pages.axis import Axis
from tidegate_flows.pages.drawing import box, dot, drawing, group, line, words
from tidegate_flows.pages.markup import NAME_MAXIMUM, Figures, short
from tidegate_flows.plain import plain
from tidegate_monitors.bias import Bias
from tidegate_monitors.bias_interval import Evidence

_WIDTH, _LEFT, _RIGHT, _STEP, _TOP = 420, 106, 354, 21, 14
_NAME_MAXIMUM = 14


@dataclass(frozen=True, slots=True)
class Line:
    """One row.

    Attributes:
        name: What stands before it.
        bias: What it shows.
    """

    name: str
    bias: Bias


def interval_plot(
    name: str, title: str, lines: Sequence[Line], tolerance: float, figures: Figures, *, tells: str
) -> str:
    """The drawing.

    Args:
        name: Of the drawing, unique on its page.
        title: What it is.
        lines: From above; at least one.
        tolerance: The bias that is allowed, either way.
        figures: How biases are written.
        tells: What the rows are, for the description.
    """
    found = [item.bias for item in lines]
    axis = Axis.over([*_reach(found), -tolerance, tolerance], _LEFT, _RIGHT, ticks=5, tight=True)
    bottom = _TOP + _STEP * len(lines)
    body = [box(axis.at(-tolerance), _TOP - 6, axis.at(tolerance) - axis.at(-tolerance), bottom - _TOP + 6, "band")]
    for value, text in axis.ticks:
        body.append(line(axis.at(value), _TOP - 6, axis.at(value), bottom, "zero" if text == "0" else "grid"))
        body.append(words(axis.at(value), bottom + 15, text, "tick"))
    body.append(words((_LEFT + _RIGHT) / 2, bottom + 32, "mean prediction − mean label", "tick"))
    for index, item in enumerate(lines):
        body.append(_row(item, _TOP + _STEP * (index + 0.5) - 3, axis, figures))
    worst = max(found, key=lambda bias: abs(bias.bias))
    most = next(item.name for item in lines if item.bias is worst)
    description = (
        f"{len(found)} {tells}; the largest bias is {figures.bias(worst.bias)}, of {short(plain(most), NAME_MAXIMUM)}."
    )
    return drawing(name, _WIDTH, bottom + 40, title, description, body)


def told(name: str, bias: Bias, figures: Figures) -> str:
    """A bias in a line of words."""
    who = short(plain(name), NAME_MAXIMUM)
    return (
        f"{who}: bias {figures.bias(bias.bias)}, 95 % from {figures.span(bias.low, bias.high)}; "
        f"mean prediction {figures.mean(bias.mean_prediction)}, mean label {figures.mean(bias.mean_label)}; "
        f"{bias.n:,} rows"
    )


def look(bias: Bias) -> str:
    """The kind of its dot and line: an alarm, and how much evidence there is."""
    alarm = " alarm" if (bias.score_ratio or 0.0) > 1 else ""
    return ("some" if bias.evidence is Evidence.SUFFICIENT else "few") + alarm


def _reach(found: Sequence[Bias]) -> list[float]:
    """What the axis must hold: every bias, and the intervals that rest on enough batches, or all where none does."""
    sound = [bias for bias in found if bias.evidence is Evidence.SUFFICIENT] or found
    ends = [value for bias in sound for value in (bias.low, bias.high) if value is not None]
    return [*ends, *(bias.bias for bias in found)]


def _row(item: Line, y: float, axis: Axis, figures: Figures) -> str:
    bias, body = item.bias, [words(_LEFT - 10, y + 4, short(item.name, _NAME_MAXIMUM), "name")]
    if bias.low is not None and bias.high is not None:
        body.append(line(axis.at(bias.low), y, axis.at(bias.high), y, "reach"))
        if bias.low < axis.low:
            body.append(words(_LEFT - 1, y + 4, "◂", "on start"))
        if bias.high > axis.high:
            body.append(words(_RIGHT + 1, y + 4, "▸", "on end"))
    body.append(dot(axis.at(bias.bias), y, "dot"))
    body.append(words(_WIDTH - 2, y + 4, figures.bias(bias.bias), "value"))
    return group(told(item.name, bias, figures), body, look(bias))
