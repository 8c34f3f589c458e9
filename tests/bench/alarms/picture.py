"""Two pictures of the tables, as SVG written by hand: dots on a line for each row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from tests.bench.alarms.exchangeable import Exchangeable
from tests.bench.alarms.peers.comparing import TOOLS, Noise

_LEFT, _RIGHT, _STEP, _WIDTH = 210, 60, 34, 860


@dataclass(frozen=True, slots=True)
class Dot:
    """One dot.

    Attributes:
        at: Where on the axis.
        label: What it says when pointed at.
        hollow: Whether only its rim is drawn.
    """

    at: float
    label: str
    hollow: bool = False


def dots(title: str, axis: str, rows: Sequence[tuple[str, Sequence[Dot]]], limit: float, mark: float | None) -> str:
    """A picture of rows of dots from 0 to ``limit``, with a vertical line at ``mark``."""
    height = 80 + _STEP * len(rows) + 40
    span = _WIDTH - _LEFT - _RIGHT

    def x(value: float) -> float:
        return _LEFT + span * min(value, limit) / limit

    body = [f'<text x="20" y="30" class="title">{escape(title)}</text>']
    for tick in range(6):
        value = limit * tick / 5
        body.append(f'<line x1="{x(value):.1f}" x2="{x(value):.1f}" y1="55" y2="{height - 50}" class="grid"/>')
        body.append(f'<text x="{x(value):.1f}" y="{height - 30}" class="tick">{value:.3g}</text>')
    body.append(f'<text x="{_LEFT + span / 2}" y="{height - 10}" class="tick">{escape(axis)}</text>')
    for number, (name, points) in enumerate(rows):
        y = 75 + _STEP * number
        body.append(f'<text x="{_LEFT - 15}" y="{y + 5}" class="row">{escape(name)}</text>')
        for dot in points:
            kind, told = "hollow" if dot.hollow else "dot", escape(dot.label)
            body.append(f'<circle cx="{x(dot.at):.1f}" cy="{y}" r="6" class="{kind}"><title>{told}</title></circle>')
    if mark is not None:
        body.append(f'<line x1="{x(mark):.1f}" x2="{x(mark):.1f}" y1="55" y2="{height - 50}" class="mark"/>')
    style = (
        "text{font:14px sans-serif;fill:#333}.title{font-size:17px;font-weight:600}.row{text-anchor:end}"
        ".tick{text-anchor:middle;font-size:12px;fill:#666}.grid{stroke:#e3e3e3}.mark{stroke:#b3261e;stroke-width:2}"
        ".dot{fill:#1f6f8b;fill-opacity:.65}.hollow{fill:none;stroke:#1f6f8b;stroke-width:1.5}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">'
        f"<title>{escape(title)}</title><style>{style}</style>"
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>{"".join(body)}</svg>\n'
    )


def of_peers(found: Sequence[Noise]) -> str:
    """Each tool's share of null batches with an alarm; a dot a dataset."""
    rows = [
        (
            tool,
            [
                Dot(n.rate.share, f"{n.dataset}: {n.rate.share:.3f}")
                for n in found
                if n.tool == tool and n.kind == "real order"
            ],
        )
        for tool in TOOLS
    ]
    kept = [row for row in rows if row[1]]
    return dots("Real batches with at least one alarm, a dot a dataset", "share of batches", kept, 1.0, None)


def of_rates(found: Sequence[Exchangeable], blocks: int) -> str:
    """Each dataset's rate, and that of its worst reference in twenty, beside the promised one."""
    items = [item for item in found if item.variant == "all rows" and item.blocks == blocks]
    rows = [
        (
            item.dataset,
            [
                Dot(item.spread.total.share, f"mean {item.spread.total.share:.4f}"),
                Dot(item.spread.percentile_95, f"one reference in twenty {item.spread.percentile_95:.4f}", hollow=True),
            ],
        )
        for item in items
    ]
    title = f"Exchangeable batches, {blocks} blocks: mean (dot) and one reference in twenty (ring); promised (line)"
    return dots(title, "share of batches that exceed", rows, 5 / (blocks + 1), 1 / (blocks + 1))


def write(text: str, path: Path) -> None:
    """Write a picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
