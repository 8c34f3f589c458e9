"""Counters that survive every restart: rolled up in the transaction that they count."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType

from sqlalchemy import Connection, insert, select, update

from tidegate_flows.ledger.schema import counters

_REMEMBERED = 1 << 14


def bump(connection: Connection, name: str, dataset: str, amount: float = 1.0, **labels: str) -> None:
    """Add to a counter; the first time makes it."""
    key = json.dumps(labels, sort_keys=True, separators=(",", ":"))
    here = (counters.c.name == name) & (counters.c.dataset == dataset) & (counters.c.labels == key)
    changed = connection.execute(update(counters).where(here).values(value=counters.c.value + amount))
    if changed.rowcount == 0:
        connection.execute(insert(counters).values(name=name, dataset=dataset, labels=key, value=amount))


def totals(connection: Connection) -> Iterator[tuple[str, str, Mapping[str, str], float]]:
    """All counters: name, dataset, other labels, value."""
    query = select(counters).order_by(counters.c.name, counters.c.dataset, counters.c.labels)
    for name, dataset, labels, value in connection.execute(query).all():
        yield name, dataset, _read(labels), value


@lru_cache(maxsize=_REMEMBERED)
def _read(labels: str) -> Mapping[str, str]:
    return MappingProxyType(json.loads(labels))
