"""The last decisions of a dataset as a strip: one mark each, told apart by height and form, not by colour alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tidegate_flows.pages.drawing import box, drawing, group, line
from tidegate_flows.status.record import Record
from tidegate_flows.status.when import stamp

WORDS = {
    "published": "published",
    "partial": "published in part",
    "quarantined": "quarantined",
    "held": "held",
}
_STEP, _WIDE, _HEIGHT, _FLOOR = 8, 5, 34, 30


def strip_plot(name: str, records: Sequence[Record], room: int) -> str:
    """The drawing.

    Args:
        name: Of the drawing, unique on its page.
        records: The newest first.
        room: How many there is room for; fewer stand at the right.
    """
    shown = list(reversed(records[:room]))
    start = (room - len(shown)) * _STEP
    body = [line(0, _FLOOR + 0.5, room * _STEP, _FLOOR + 0.5, "grid")]
    for index, record in enumerate(shown):
        told = f"{record.batch}: {WORDS[record.kind]}, {record.rows:,} rows, {stamp(record.at)}"
        body.append(group(told, _mark(record.kind, start + index * _STEP + 1.5), record.kind))
    return drawing(name, room * _STEP, _HEIGHT, "The last decisions", counted(shown), body)


def counted(records: Sequence[Record]) -> str:
    """Some decisions in words."""
    counts = Counter(record.kind for record in records)
    many = ", ".join(f"{counts[kind]} {word}" for kind, word in WORDS.items() if counts[kind])
    return f"{len(records)} decisions, the oldest first: {many}." if records else "No decision yet."


def _mark(kind: str, x: float) -> list[str]:
    if kind == "quarantined":  # the tallest, with a foot below the line
        return [box(x, 2, _WIDE, _FLOOR - 2, "mark"), box(x, _FLOOR + 1.5, _WIDE, 2.5, "mark")]
    if kind == "held":  # hollow
        return [box(x + 0.75, 14.75, _WIDE - 1.5, _FLOOR - 15.5, "mark")]
    if kind == "partial":  # a piece is cut off
        return [box(x, 14, _WIDE, 3, "cut"), box(x, 19, _WIDE, _FLOOR - 19, "mark")]
    return [box(x, 19, _WIDE, _FLOOR - 19, "mark")]
