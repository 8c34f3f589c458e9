"""When a batch came: not when it was last judged."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from tidegate_contracts.batch import parse_iso
from tidegate_flows.ledger.schema import runs


def last(connection: Connection, dataset: str, batch: str) -> datetime | None:
    """When the bytes that a batch stands for arrived, in UTC; None where nothing arrived under that id."""
    query = (
        select(runs.c.received_at)
        .where(runs.c.dataset == dataset, runs.c.batch == batch, runs.c.arrival)
        .order_by(runs.c.seq.desc())
        .limit(1)
    )
    return parse_iso(connection.scalar(query))
