"""Counters that survive every restart: rolled up in the transaction that they count."""

from __future__ import annotations

import json
from collections.abc import Iterator

from sqlalchemy import Connection, insert, select, update

from tidegate_flows.ledger.schema import counters


def bump(connection: Connection, name: str, dataset: str, amount: float = 1.0, **labels: str) -> None:
    """Add to a counter; the first time makes it."""
    key = json.dumps(labels, sort_keys=True, separators=(",", ":"))
    here = (counters.c.name == name) & (counters.c.dataset == dataset) & (counters.c.labels == key)
    changed = connection.execute(update(counters).where(here).values(value=counters.c.value + amount))
    if changed.rowcount == 0:
        connection.execute(insert(counters).values(name=name, dataset=dataset, labels=key, value=amount))


def totals(connection: Connection) -> Iterator[tuple[str, str, dict[str, str], float]]:
    """All counters: name, dataset, other labels, value."""
    query = select(counters).order_by(counters.c.name, counters.c.dataset, counters.c.labels)
    for row in connection.execute(query):
        yield row.name, row.dataset, json.loads(row.labels), row.value
