"""Two pictures of the tables, as SVG written by hand: dots on a line for each row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from tests.bench.alarms.exchangeable import Exchangeable
from tests.bench.alarms.peers.comparing import TOOLS, Noise

_LEFT, _RIGHT, _STEP, _WIDTH, _TOP = 210, 60, 34, 860, 80
_APART = 4.5
_A_DOT_A_DATASET = "a dot a dataset; those with the same share stand above one another"


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


def dots(
    title: str, legend: str, axis: str, rows: Sequence[tuple[str, Sequence[Dot]]], limit: float, mark: float | None
) -> str:
    """A picture of rows of dots from 0 to ``limit``, with a vertical line at ``mark``."""
    height = _TOP + 5 + _STEP * len(rows) + 40
    span = _WIDTH - _LEFT - _RIGHT

    def x(value: float) -> float:
        return _LEFT + span * min(value, limit) / limit

    body = [f'<text x="20" y="26" class="title">{escape(title)}</text>']
    body.append(f'<text x="20" y="46" class="legend">{escape(legend)}</text>')
    for tick in range(6):
        value = limit * tick / 5
        body.append(f'<line x1="{x(value):.1f}" x2="{x(value):.1f}" y1="60" y2="{height - 50}" class="grid"/>')
        body.append(f'<text x="{x(value):.1f}" y="{height - 30}" class="tick">{value:.3g}</text>')
    body.append(f'<text x="{_LEFT + span / 2}" y="{height - 10}" class="tick">{escape(axis)}</text>')
    if mark is not None:
        body.append(f'<line x1="{x(mark):.1f}" x2="{x(mark):.1f}" y1="60" y2="{height - 50}" class="mark"/>')
    for number, (name, points) in enumerate(rows):
        y = _TOP + _STEP * number
        body.append(f'<text x="{_LEFT - 15}" y="{y + 5}" class="row">{escape(name)}</text>')
        body += [_drawn(dot, x(dot.at), y + shift) for dot, shift in _apart(points)]
    style = (
        "text{font:14px sans-serif;fill:#333}.title{font-size:17px;font-weight:600}.row{text-anchor:end}"
        ".legend{font-size:13px;fill:#666}.tick{text-anchor:middle;font-size:12px;fill:#666}.grid{stroke:#e3e3e3}"
        ".mark{stroke:#b3261e;stroke-width:2}.dot{fill:#1f6f8b;fill-opacity:.8;stroke:#fff;stroke-width:1}.hollow{fill:none;stroke:#1f6f8b;stroke-width:1.5}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">'
        f"<title>{escape(title)}</title><style>{style}</style>"
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>{"".join(body)}</svg>\n'
    )


def _apart(points: Sequence[Dot]) -> Iterator[tuple[Dot, float]]:
    """Each dot, and how far below its line it is drawn: dots of one kind at one place stand above one another."""
    for index, dot in enumerate(points):
        same = [other for other, item in enumerate(points) if (item.at, item.hollow) == (dot.at, dot.hollow)]
        yield dot, _APART * (same.index(index) - (len(same) - 1) / 2)


def _drawn(dot: Dot, x: float, y: float) -> str:
    kind, radius = ("hollow", 8) if dot.hollow else ("dot", 4.5)
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" class="{kind}"><title>{escape(dot.label)}</title></circle>'


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
    return dots("Real batches with at least one alarm", _A_DOT_A_DATASET, "share of batches", kept, 1.0, None)


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
    title = f"Exchangeable batches, {blocks} blocks"
    legend = "dot: mean of the references; ring: one reference in twenty exceeds it; line: what is promised"
    return dots(title, legend, "share of batches that exceed", rows, 5 / (blocks + 1), 1 / (blocks + 1))


def write(text: str, path: Path) -> None:
    """Write a picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
