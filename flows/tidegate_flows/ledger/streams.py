"""What the stream has seen of each dataset, kept."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import Connection, delete, insert, select

from tidegate_flows.ledger.schema import streams
from tidegate_monitors.stream import Stream


def load(connection: Connection, dataset: str, reference: str) -> tuple[Stream, float | None]:
    """The dataset's stream under a reference, and the end of the last window that it has seen; else a fresh one."""
    row = connection.execute(select(streams).where(streams.c.dataset == dataset)).one_or_none()
    if row is None or row.reference != reference:
        return Stream.fresh(reference), None
    return Stream.from_dict(json.loads(row.document)), row.event_end


def save(
    connection: Connection, dataset: str, stream: Stream, event_end: float | None, ratios: Mapping[str, float]
) -> None:
    """Keep the dataset's stream, and by column its evidence over its threshold."""
    connection.execute(delete(streams).where(streams.c.dataset == dataset))
    connection.execute(
        insert(streams).values(
            dataset=dataset,
            reference=stream.reference,
            event_end=event_end,
            document=json.dumps(stream.to_dict(), allow_nan=False),
            ratios=json.dumps(dict(ratios), allow_nan=False),
        )
    )


def ratios(connection: Connection, dataset: str) -> dict[str, float]:
    """By column the evidence of slow drift over its threshold, as of the last batch; empty before any."""
    text = connection.scalar(select(streams.c.ratios).where(streams.c.dataset == dataset))
    found: dict[str, float] = json.loads(text) if text else {}
    return found
