"""Rows by batch: published, set aside and held, stacked."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate_flows.pages.axis import Axis
from tidegate_flows.pages.drawing import box, drawing, group, line, words
from tidegate_flows.status.record import Record
from tidegate_flows.status.sized import names_below, sized

_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 1080, 64, 1076, 14, 180
_PARTS = (("published", "bar"), ("aside", "aside"), ("held", "hollow"))


def volume_plot(name: str, records: Sequence[Record]) -> str:
    """The drawing of at least one batch; the newest first, drawn from the left."""
    shown = list(reversed(records))
    axis = Axis.over([0.0, max(1.0, *(float(record.rows) for record in shown))], _BOTTOM, _TOP, ticks=4)
    wide = (_RIGHT - _LEFT) / max(len(shown), 20)
    body = []
    for value, text in axis.ticks:
        body.append(line(_LEFT, axis.at(value), _RIGHT, axis.at(value), "zero" if text == "0" else "grid"))
        body.append(words(_LEFT - 8, axis.at(value) + 4, text, "name tick"))
    for index, record in enumerate(shown):
        body.append(_stack(record, axis, _LEFT + index * wide, wide))
    places = [_LEFT + (index + 0.5) * wide for index in range(len(shown))]
    body += names_below([record.batch for record in shown], places, _BOTTOM, _WIDTH)
    rows = [record.rows for record in shown]
    aside = sum(record.aside for record in shown)
    description = (
        f"Rows of {len(shown)} batches, from {min(rows):,} to {max(rows):,}, the last {rows[-1]:,}; "
        f"{aside:,} rows in all were set aside."
    )
    return sized(drawing(name, _WIDTH, _BOTTOM + 28, "Rows by batch", description, body), _WIDTH)


def _stack(record: Record, axis: Axis, x: float, wide: float) -> str:
    body, below, gap = [], 0, min(2.0, wide / 5)
    for field, kind in _PARTS:
        rows = getattr(record, field)
        if rows:
            top = axis.at(below + rows)
            tall = max(axis.at(below) - top, 1.5)
            body.append(box(x + gap / 2, axis.at(below) - tall, wide - gap, tall, kind))
            below += rows
    told = f"{record.batch}: {record.rows:,} rows, {record.published:,} published, {record.aside:,} set aside"
    return group(f"{told}, {record.held:,} held" if record.held else told, body)
