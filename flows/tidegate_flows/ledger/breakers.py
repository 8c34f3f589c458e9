"""The breakers' states, kept."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from tidegate_contracts.batch import iso, parse_iso
from tidegate_flows.ledger.schema import breakers
from tidegate_monitors.breaker import Breaker, State


def load(connection: Connection, dataset: str) -> Breaker:
    """The dataset's breaker; a new one is closed."""
    row = connection.execute(select(breakers).where(breakers.c.dataset == dataset)).one_or_none()
    if row is None:
        return Breaker()
    return Breaker(State(row.state), row.failures, parse_iso(row.changed_at), row.cause, row.probe)


def save(connection: Connection, dataset: str, breaker: Breaker) -> None:
    """Keep the dataset's breaker."""
    connection.execute(delete(breakers).where(breakers.c.dataset == dataset))
    connection.execute(
        insert(breakers).values(
            dataset=dataset,
            state=breaker.state.value,
            failures=breaker.failures,
            changed_at=iso(breaker.changed_at),
            cause=breaker.cause,
            probe=breaker.probe,
        )
    )


def all_of(connection: Connection) -> dict[str, Breaker]:
    """All breakers by dataset."""
    names = connection.scalars(select(breakers.c.dataset).order_by(breakers.c.dataset)).all()
    return {name: load(connection, name) for name in names}
