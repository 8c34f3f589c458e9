"""The latest judgement of each dataset's labels, as the page and metrics tell it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from tidegate_flows.ledger.schema import label_reports


@dataclass(frozen=True, slots=True)
class Kept:
    """A judgement.

    Attributes:
        document: The JSON of ``labels``.
        at: When it was made, store clock, seconds.
    """

    document: dict[str, Any]
    at: float


def save(connection: Connection, dataset: str, document: dict[str, Any], *, at: float) -> None:
    """Keep a judgement in place of the one before; an equal one changes nothing."""
    text = json.dumps(document, allow_nan=False)
    known = connection.scalar(select(label_reports.c.document).where(label_reports.c.dataset == dataset))
    if known == text:
        return
    connection.execute(delete(label_reports).where(label_reports.c.dataset == dataset))
    connection.execute(insert(label_reports).values(dataset=dataset, document=text, judged_at=at))


def load(connection: Connection, dataset: str) -> Kept | None:
    """The latest judgement; None before any label came."""
    row = connection.execute(select(label_reports).where(label_reports.c.dataset == dataset)).one_or_none()
    return None if row is None else Kept(json.loads(row.document), row.judged_at)
