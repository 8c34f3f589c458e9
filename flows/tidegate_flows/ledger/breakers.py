"""The breakers' states, kept."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from tidegate_contracts.batch import iso, parse_iso
from tidegate_flows.ledger.schema import audit, breakers
from tidegate_monitors.breaker import Breaker, Override, State


def load(connection: Connection, dataset: str) -> Breaker:
    """The dataset's breaker; a new one is closed."""
    row = connection.execute(select(breakers).where(breakers.c.dataset == dataset)).one_or_none()
    return _breaker(row) if row is not None else Breaker()


def _breaker(row: Row[Any]) -> Breaker:
    until = parse_iso(row.override_until)
    return Breaker(
        State(row.state),
        row.failures,
        parse_iso(row.changed_at),
        row.cause,
        row.probe,
        parse_iso(row.probe_until),
        Override(until, row.override_by, row.override_reason) if until is not None else None,
        row.tripped,
    )


def save(connection: Connection, dataset: str, breaker: Breaker) -> None:
    """Keep the dataset's breaker."""
    override = breaker.override
    connection.execute(delete(breakers).where(breakers.c.dataset == dataset))
    connection.execute(
        insert(breakers).values(
            dataset=dataset,
            state=breaker.state.value,
            failures=breaker.failures,
            changed_at=iso(breaker.changed_at),
            cause=breaker.cause,
            probe=breaker.probe,
            probe_until=iso(breaker.probe_until),
            override_until=iso(override.until) if override is not None else None,
            override_by=override.by if override is not None else None,
            override_reason=override.reason if override is not None else None,
            tripped=breaker.tripped,
        )
    )


def why(connection: Connection, dataset: str, breaker: Breaker) -> str | None:
    """What is behind a breaker's state, for people: where a batch opened it, with what was found in that."""
    if breaker.state is State.CLOSED or breaker.cause is None or " " in breaker.cause:  # no batch has a blank
        return breaker.cause
    query = (
        select(audit.c.reason)
        .where(audit.c.dataset == dataset, audit.c.event.startswith("breaker."), audit.c.batch == breaker.cause)
        .order_by(audit.c.seq.desc())
        .limit(1)
    )
    return connection.scalar(query) or breaker.cause


def all_of(connection: Connection) -> dict[str, Breaker]:
    """All breakers by dataset."""
    rows = connection.execute(select(breakers).order_by(breakers.c.dataset))
    return {row.dataset: _breaker(row) for row in rows}
