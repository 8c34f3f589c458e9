"""The latest judgement of each dataset's labels, as the page and metrics tell it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from tidegate_flows.ledger.schema import label_reports


@dataclass(frozen=True, slots=True)
class Kept:
    """A judgement.

    Attributes:
        document: The JSON of ``labels``.
        at: When it was made, store clock, seconds.
        share: The settled share of the batches that labels named last, perhaps after it was made; in [0, 1].
    """

    document: dict[str, Any]
    at: float
    share: float


def save(connection: Connection, dataset: str, document: dict[str, Any], *, at: float) -> bool:
    """Keep a judgement in place of the one before; an equal one changes nothing. Whether it is another one.

    One that could judge nothing, because labels are immature, leaves the one before standing: only the share of settled
    rows is news.
    """
    share, text = document["maturity"]["share"], json.dumps(document, allow_nan=False)
    mine = label_reports.c.dataset == dataset
    known = connection.execute(select(label_reports.c.document).where(mine)).scalar()
    if known == text:
        return False
    if known is not None and not document["batches"] and json.loads(known)["batches"]:
        connection.execute(update(label_reports).where(mine).values(settled_share=share))
        return False
    connection.execute(delete(label_reports).where(mine))
    values = {"document": text, "judged_at": at, "settled_share": share}
    connection.execute(insert(label_reports).values(dataset=dataset, **values))
    return True


def load(connection: Connection, dataset: str) -> Kept | None:
    """The latest judgement; None before any label came."""
    row = connection.execute(select(label_reports).where(label_reports.c.dataset == dataset)).one_or_none()
    return None if row is None else Kept(json.loads(row.document), row.judged_at, row.settled_share)
