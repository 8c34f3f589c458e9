"""A column in the reference and in a batch, one laid over the other."""

from __future__ import annotations

from tidegate_flows.pages.axis import Axis
from tidegate_flows.pages.drawing import box, drawing, group, line, words
from tidegate_flows.pages.markup import NAME_MAXIMUM, short
from tidegate_flows.pages.shape import Shape
from tidegate_flows.plain import plain
from tidegate_monitors.cells import Kind

_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 420, 40, 412, 12, 130
_NAMES_LEFT, _ROW = 132, 24


def shape_plot(name: str, column: str, shape: Shape) -> str:
    """The drawing."""
    said = short(plain(column), NAME_MAXIMUM)
    if shape.kind is Kind.CATEGORY:
        return _bars(name, said, shape)
    return _steps(name, said, shape)


def _steps(name: str, column: str, shape: Shape) -> str:
    """Filled: the reference; a line: the batch."""
    y = Axis.over([0.0, *shape.reference, *shape.current], _BOTTOM, _TOP, ticks=3)
    bins, wide = len(shape.reference), (_RIGHT - _LEFT) / len(shape.reference)
    body = []
    for value, text in y.ticks:
        body.append(line(_LEFT, y.at(value), _RIGHT, y.at(value), "zero" if text == "0" else "grid"))
        body.append(words(_LEFT - 6, y.at(value) + 4, f"{100 * value:.3g} %" if value else "0", "name tick"))
    for index, share in enumerate(shape.reference):
        body.append(box(_LEFT + index * wide, y.at(share), wide, _BOTTOM - y.at(share), "before"))
    points = [f"{_LEFT:.1f},{_BOTTOM:.1f}"]
    for index, share in enumerate(shape.current):
        points += [
            f"{_LEFT + index * wide:.1f},{y.at(share):.1f}",
            f"{_LEFT + (index + 1) * wide:.1f},{y.at(share):.1f}",
        ]
    body.append(f'<polyline points="{" ".join(points)} {_RIGHT:.1f},{_BOTTOM:.1f}" class="now"/>')
    for index in range(bins):
        told = f"{_bin(shape, index)}: {shape.reference[index]:.1%} in the reference, {shape.current[index]:.1%} now"
        body.append(group(told, [box(_LEFT + index * wide, _TOP, wide, _BOTTOM - _TOP, "touch")]))
    body += _below(shape, wide)
    return drawing(name, _WIDTH, _BOTTOM + 26, f"{column}: reference and this batch", _told(shape), body)


def _below(shape: Shape, wide: float) -> list[str]:
    """What stands below the axis."""
    if shape.edges:
        x = Axis.over(shape.edges, _LEFT, _RIGHT, ticks=5, tight=True)
        return [words(min(x.at(value), _RIGHT - 12), _BOTTOM + 18, text, "tick") for value, text in x.ticks]
    return [words(_LEFT + (hour + 0.5) * wide, _BOTTOM + 18, f"{hour:02} h", "tick") for hour in range(0, 24, 4)]


def _bars(name: str, column: str, shape: Shape) -> str:
    """Two bars a category."""
    x = Axis.over([0.0, *shape.reference, *shape.current], _NAMES_LEFT, _WIDTH - 96, ticks=4)
    body = []
    for index, label in enumerate(shape.names):
        y, before, now = _TOP + index * _ROW, shape.reference[index], shape.current[index]
        parts = [
            words(_NAMES_LEFT - 8, y + 13, short(plain(label), 16), "name"),
            box(_NAMES_LEFT, y + 1, max(x.at(before) - _NAMES_LEFT, 0.8), 8, "before"),
            box(_NAMES_LEFT + 0.75, y + 10.75, max(x.at(now) - _NAMES_LEFT - 1.5, 0.8), 6.5, "now"),
            words(_WIDTH - 4, y + 13, f"{before:.1%} → {now:.1%}", "value"),
        ]
        body.append(group(f"{label}: {before:.1%} in the reference, {now:.1%} now", parts))
    body.append(line(_NAMES_LEFT, _TOP - 4, _NAMES_LEFT, _TOP + len(shape.names) * _ROW, "zero"))
    height = _TOP + len(shape.names) * _ROW + 6
    return drawing(name, _WIDTH, height, f"{column}: reference and this batch", _told(shape), body)


def _bin(shape: Shape, index: int) -> str:
    if not shape.edges:
        return f"{shape.names[index]} h"
    low, high = f"{shape.edges[index]:.4g}", f"{shape.edges[index + 1]:.4g}"
    if index == 0:
        return f"up to {high}"
    return f"from {low}" if index == len(shape.reference) - 1 else f"{low} to {high}"


def _told(shape: Shape) -> str:
    """The largest difference, in words."""
    index = max(range(len(shape.reference)), key=lambda i: abs(shape.reference[i] - shape.current[i]))
    what = plain(shape.names[index]) if shape.names and not shape.edges else _bin(shape, index)
    return (
        f"The largest difference is at {short(what, 40)}: {shape.reference[index]:.1%} in the reference, "
        f"{shape.current[index]:.1%} in this batch. Missing: {shape.missing[0]:.1%}, now {shape.missing[1]:.1%}."
    )
