"""Bias over time: a point a calendar month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

from tidegate_flows.pages.axis import Axis
from tidegate_flows.pages.drawing import box, dot, drawing, group, line, words
from tidegate_flows.pages.interval_plot import look, told
from tidegate_flows.pages.markup import Figures
from tidegate_monitors.bias_by_month import MonthBias

_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 420, 54, 408, 18, 220
_LABELS_MAXIMUM = 12
_YEAR_WIDE = 40
_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def month_plot(name: str, title: str, months: Sequence[MonthBias], tolerance: float, figures: Figures) -> str:
    """The drawing of at least one month, in order; months without labels leave a gap."""
    first, last = _number(months[0].month), _number(months[-1].month)
    size = last - first + 1
    wide = (_RIGHT - _LEFT) / size
    x = {item.month: _LEFT + wide * (_number(item.month) - first + 0.5) for item in months}
    points = [item.overall for item in months]
    reach = [value for b in points for value in (b.low, b.high, b.bias) if value is not None]
    axis = Axis.over([*reach, -tolerance, tolerance], _BOTTOM, _TOP, ticks=5)
    body = [box(_LEFT, axis.at(tolerance), _RIGHT - _LEFT, axis.at(-tolerance) - axis.at(tolerance), "band")]
    for value, text in axis.ticks:
        body.append(line(_LEFT, axis.at(value), _RIGHT, axis.at(value), "zero" if text == "0" else "grid"))
        body.append(words(_LEFT - 8, axis.at(value) + 4, text, "name tick"))
    body += _names(first, size, wide)
    places = [(x[item.month], axis.at(item.overall.bias), _number(item.month)) for item in months]
    for (x1, y1, before), (x2, y2, after) in pairwise(places):
        if after == before + 1:
            body.append(line(x1, y1, x2, y2, "path"))
    worst = max(points, key=lambda bias: abs(bias.bias))
    for item in months:
        body.append(_point(item, x[item.month], axis, figures, label=item is months[-1] or item.overall is worst))
    description = (
        f"Bias of all rows by month, {len(months)} months; {figures.bias(points[0].bias)} in {_said(months[0].month)}, "
        f"{figures.bias(points[-1].bias)} in {_said(months[-1].month)}, at most {figures.bias(worst.bias)}."
    )
    return drawing(name, _WIDTH, _BOTTOM + 44, title, description, body)


def _point(item: MonthBias, x: float, axis: Axis, figures: Figures, *, label: bool) -> str:
    bias, body = item.overall, []
    top = axis.at(bias.bias)
    if bias.low is not None and bias.high is not None:
        body.append(line(x, axis.at(bias.low), x, axis.at(bias.high), "reach"))
        top = min(top, axis.at(bias.high))
    body.append(dot(x, axis.at(bias.bias), "dot"))
    if label:
        body.append(words(min(x, _RIGHT - 14), top - 6, figures.bias(bias.bias), "mid"))
    return group(told(f"{_said(item.month)}, {item.batches} batches", bias, figures), body, look(bias))


def _names(first: int, size: int, wide: float) -> list[str]:
    """The months below the axis, as many as fit, and the years below these."""
    every = -(-size // _LABELS_MAXIMUM)
    found = []
    for index in range(size):
        year, month = divmod(first + index, 12)
        x = _LEFT + wide * (index + 0.5)
        if index % every == 0:
            found.append(words(x, _BOTTOM + 18, _NAMES[month], "tick"))
        if index == 0 or (month == 0 and wide * index > _YEAR_WIDE):
            found.append(words(x, _BOTTOM + 35, str(year), "tick"))
    return found


def _number(month: date) -> int:
    return month.year * 12 + month.month - 1


def _said(month: date) -> str:
    return f"{_NAMES[month.month - 1]} {month.year}"
