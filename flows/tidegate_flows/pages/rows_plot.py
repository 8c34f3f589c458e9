"""Where the rows of one batch went, as one bar."""

from __future__ import annotations

from tidegate_flows.pages.drawing import box, drawing, group
from tidegate_monitors.run import Rows

_WIDTH, _HEIGHT = 600, 16


def rows_plot(name: str, rows: Rows) -> str | None:
    """The drawing; None for no rows."""
    if not rows.delivered:
        return None
    body, x = [], 0.0
    for number, kind, word in (
        (rows.published, "bar", "published"),
        (rows.quarantined, "aside", "quarantined"),
        (rows.held, "hollow", "held"),
    ):
        if number:
            wide = max(number / rows.delivered * _WIDTH, 2.0)
            told = f"{number:,} of {rows.delivered:,} rows {word}"
            body.append(group(told, [box(x + 0.75, 1, wide - 1.5, _HEIGHT - 2, kind)]))
            x += wide
    description = f"{rows.published:,} published, {rows.quarantined:,} quarantined, {rows.held:,} held."
    return drawing(name, _WIDTH, _HEIGHT, "Where the rows went", description, body)
