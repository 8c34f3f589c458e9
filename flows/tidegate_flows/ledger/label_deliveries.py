"""Which deliveries of labels were joined: one that comes again must not take back what a later one said."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from tidegate_flows.ledger.schema import label_deliveries


def is_known(connection: Connection, dataset: str, sha256: str) -> bool:
    """Whether these bytes were joined before, to their end."""
    query = select(label_deliveries.c.sha256).where(
        label_deliveries.c.dataset == dataset, label_deliveries.c.sha256 == sha256
    )
    return connection.scalar(query) is not None


def add(connection: Connection, dataset: str, sha256: str, at: float) -> None:
    """Remember that these bytes were joined; once."""
    if not is_known(connection, dataset, sha256):
        connection.execute(insert(label_deliveries).values(dataset=dataset, sha256=sha256, joined_at=at))
