"""How far each column was from its reference in each of the last batches."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

from sqlalchemy import Connection, select

from tidegate_flows.ledger.schema import runs
from tidegate_flows.pages.drawing import box, drawing, group, line, words
from tidegate_flows.pages.markup import number, short
from tidegate_flows.status.record import Record
from tidegate_flows.status.sized import names_below, sized
from tidegate_monitors.comparison import Comparison

TABLE = "(rows)"
_BATCHES_MAXIMUM = 60
_COLUMNS_MAXIMUM = 40
_CHARACTERS_MAXIMUM = 4_000_000
_CELL, _TALL, _LEFT, _TOP, _NAME = 12, 17, 150, 8, 20
_KEPT = 4096
_LEVELS = ((2.0, "l4"), (1.0, "l3"), (0.75, "l2"), (0.4, "l1"))

Row = dict[str, tuple[float, str]]
_rows: OrderedDict[str, Row] = OrderedDict()
_lock = Lock()


@dataclass(frozen=True, slots=True)
class Heat:
    """The worst score ÷ threshold by column and batch.

    Attributes:
        batches: The oldest first.
        columns: Those that were farthest off first.
        ratios: Shape (columns, batches); None where nothing was measured.
        statistics: Which statistic it was, of the same shape.
        left_out: Columns for which there is no room.
    """

    batches: tuple[str, ...]
    columns: tuple[str, ...]
    ratios: tuple[tuple[float | None, ...], ...]
    statistics: tuple[tuple[str, ...], ...]
    left_out: int = 0

    @property
    def worst(self) -> list[tuple[str, float, str, str, int]]:
        """The columns that were above their threshold: column, ratio, statistic, batch, in how many batches."""
        found = []
        for column, ratios, names in zip(self.columns, self.ratios, self.statistics, strict=True):
            known = [(ratio, index) for index, ratio in enumerate(ratios) if ratio is not None and ratio > 1]
            if known:
                ratio, index = max(known)
                found.append((column, ratio, names[index], self.batches[index], len(known)))
        return found


def heat(connection: Connection, records: Sequence[Record]) -> Heat | None:
    """The heat of some runs, the newest first; as many as can be read at once. None where nothing was compared."""
    found: list[tuple[str, Row]] = []
    room = _CHARACTERS_MAXIMUM
    for record in records[:_BATCHES_MAXIMUM]:
        row = _known(record.run)
        if row is None:
            text = connection.scalar(select(runs.c.comparisons).where(runs.c.run == record.run)) or "[]"
            room -= len(text)
            if found and room < 0:
                break
            row = _keep(record.run, text)
        found.append((record.batch, row))
    return heat_of(found)


def row_of(comparisons: Sequence[Comparison]) -> Row:
    """The worst statistic of each column that has a threshold, with its score ÷ threshold."""
    row: Row = {}
    for item in comparisons:
        name, ratio = item.column if item.column is not None else TABLE, item.ratio
        if ratio is not None and item.slice is None and (name not in row or ratio > row[name][0]):
            row[name] = (ratio, item.statistic)
    return row


def heat_of(found: Sequence[tuple[str, Row]]) -> Heat | None:
    """The heat of some batches, the newest first, each with its row."""
    shown = list(reversed(found))
    worst: dict[str, float] = {}
    for _, row in shown:
        for name, (ratio, _statistic) in row.items():
            worst[name] = max(ratio, worst.get(name, 0.0))
    if not worst:
        return None
    order = sorted(worst, key=lambda name: (-worst[name], name))
    kept = order[:_COLUMNS_MAXIMUM]
    return Heat(
        tuple(batch for batch, _ in shown),
        tuple(kept),
        tuple(tuple(row[name][0] if name in row else None for _, row in shown) for name in kept),
        tuple(tuple(row[name][1] if name in row else "" for _, row in shown) for name in kept),
        len(order) - len(kept),
    )


def _known(run: str) -> Row | None:
    with _lock:
        row = _rows.get(run)
        if row is not None:
            _rows.move_to_end(run)
        return row


def _keep(run: str, text: str) -> Row:
    """The row of a run; made once a process, since runs never change."""
    row = row_of([Comparison.from_dict(item) for item in json.loads(text) if item["slice"] is None])
    with _lock:
        _rows[run] = row
        while len(_rows) > _KEPT:
            _rows.popitem(last=False)
    return row


def heat_map(name: str, found: Heat) -> str:
    """The drawing."""
    body = []
    for row, column in enumerate(found.columns):
        y = _TOP + row * _TALL
        body.append(words(_LEFT - 8, y + 12.5, short(column, _NAME), "name"))
        for index, ratio in enumerate(found.ratios[row]):
            if ratio is not None:
                told = f"{column}, {found.batches[index]}: {found.statistics[row][index]} {number(ratio)} of threshold"
                body.append(group(told, _cell(ratio, _LEFT + index * _CELL, y), _level(ratio)))
    bottom = _TOP + len(found.columns) * _TALL
    width = _LEFT + max(len(found.batches), 30) * _CELL + 30
    places = [_LEFT + (index + 0.5) * _CELL for index in range(len(found.batches))]
    body += names_below(found.batches, places, bottom, width)
    over = found.worst
    description = (
        f"{len(found.columns)} columns in {len(found.batches)} batches; {len(over)} of them were above their threshold"
        + (f", {short(over[0][0], 40)} the farthest with {number(over[0][1])} of it." if over else ".")
    )
    title = "Drift: score over threshold by column and batch"
    return sized(drawing(name, width, bottom + 26, title, description, body), width)


def _level(ratio: float) -> str:
    return next((kind for least, kind in _LEVELS if ratio > least), "l0")


def _cell(ratio: float, x: float, y: float) -> list[str]:
    body = [box(x + 0.5, y + 0.5, _CELL - 1, _TALL - 1, "cell")]
    middle, centre = x + _CELL / 2, y + _TALL / 2
    if ratio > 1:
        body.append(line(middle - 3, centre - 3, middle + 3, centre + 3, "cross"))
    if ratio > 2:
        body.append(line(middle - 3, centre + 3, middle + 3, centre - 3, "cross"))
    return body
