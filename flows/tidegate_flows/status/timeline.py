"""The breaker over time, as the audit has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from sqlalchemy import Connection, select

from tidegate_contracts.batch import parse_iso
from tidegate_flows.ledger.schema import audit
from tidegate_flows.pages.drawing import box, drawing, group, line, words
from tidegate_flows.status.sized import sized
from tidegate_flows.status.when import length, stamp

CHANGES_MAXIMUM = 100
_STATES = {"opened": "open", "tripped": "open", "half_open": "half_open", "closed": "closed"}
_WORDS = {"open": "open", "half_open": "half open", "closed": "closed"}
_TALL = {"open": 26.0, "half_open": 16.0, "closed": 6.0}
_WIDTH, _LEFT, _RIGHT, _MIDDLE = 1080, 4, 1076, 20
_NAMES = 6


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened to the breaker.

    Attributes:
        at: When, in UTC.
        event: ``opened``, ``half_open``, ``closed``, ``tripped`` or ``overridden``.
        batch: The batch behind it, or None.
        by: Who did it; None where nobody did it by hand.
        reason: Why.
    """

    at: datetime
    event: str
    batch: str | None
    by: str | None
    reason: str | None

    @property
    def state(self) -> str | None:
        """The state that it led to; None where it changed none."""
        return _STATES.get(self.event)


def changes(connection: Connection, dataset: str) -> list[Change]:
    """The last changes, the newest first."""
    query = (
        select(audit)
        .where(audit.c.dataset == dataset, audit.c.event.startswith("breaker."))
        .order_by(audit.c.seq.desc())
        .limit(CHANGES_MAXIMUM)
    )
    found = []
    for row in connection.execute(query):
        at = parse_iso(row.at)
        if at is not None:
            found.append(Change(at, row.event.removeprefix("breaker."), row.batch, row.by, row.reason))
    return found


@dataclass(frozen=True, slots=True)
class Span:
    """A state and its time."""

    state: str
    start: datetime
    end: datetime


def spans(found: Sequence[Change], since: datetime, until: datetime) -> list[Span]:
    """The states from one time to another.

    Args:
        found: The changes, the newest first.
        since: Where to begin; the breaker was closed until the first change after it.
        until: Where to end.
    """
    told = sorted((change for change in reversed(found) if change.state), key=lambda change: change.at)
    state, points = "closed", [(since, "closed")]
    for change in told:
        state = change.state or state
        points.append((min(max(change.at, since), until), state))
    points.append((until, state))
    return [Span(one[1], one[0], other[0]) for one, other in pairwise(points) if other[0] > one[0]]


def timeline(name: str, found: Sequence[Span]) -> str:
    """The drawing of at least one span."""
    since, until = found[0].start, found[-1].end
    whole = max((until - since).total_seconds(), 1.0)

    def place(moment: datetime) -> float:
        return _LEFT + (moment - since).total_seconds() / whole * (_RIGHT - _LEFT)

    body = []
    for span in found:
        tall, x = _TALL[span.state], place(span.start)
        told = f"{_WORDS[span.state]} from {stamp(span.start)} to {stamp(span.end)}, {length(span.end - span.start)}"
        wide = max(place(span.end) - x, 1.5)
        body.append(group(told, [box(x, _MIDDLE - tall / 2, wide, tall, "mark")], f"span {span.state}"))
    for index in range(_NAMES):
        moment = since + timedelta(seconds=whole) * index / (_NAMES - 1)
        kind = "tick start" if index == 0 else "tick end" if index == _NAMES - 1 else "tick"
        body.append(line(place(moment), 36, place(moment), 41, "zero"))
        body.append(words(place(moment), 55, f"{moment.astimezone(UTC):%Y-%m-%d}", kind))
    shut = sum((span.end - span.start for span in found if span.state != "closed"), timedelta(0))
    description = (
        f"From {stamp(since)} to {stamp(until)} it was open {sum(span.state == 'open' for span in found)} times; "
        f"not closed for {length(shut) if shut else 'no time'} in all. It is {_WORDS[found[-1].state]} at the end."
    )
    return sized(drawing(name, _WIDTH, 62, "The breaker over time", description, body), _WIDTH)
