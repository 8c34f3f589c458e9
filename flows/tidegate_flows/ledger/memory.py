"""What earlier runs say of a batch: those of other batches, whatever bytes stood under its own id.

A batch in shadow counts as what it would have been, so that the gate says in shadow what it says after it.
"""

from __future__ import annotations

import json

from sqlalchemy import Connection, func, or_, select

from tidegate_flows.ledger.runs import of_another
from tidegate_flows.ledger.schema import runs
from tidegate_monitors.breaker import Decision
from tidegate_monitors.comparison import Comparison, Place, exceeded

_became = func.coalesce(runs.c.would, runs.c.decision)
_stands = _became.in_((Decision.PUBLISH.value, Decision.HOLD.value))
_not_gone = or_(runs.c.discarded.is_(False), runs.c.decision == Decision.PUBLISH.value)
"""Of a published batch only rows that were set aside are ever discarded."""


def previous_places(connection: Connection, dataset: str, batch: str) -> dict[Place, str | None]:
    """What exceeded its threshold in the last batch, other than this one, that was not quarantined; and since when."""
    row = connection.execute(
        select(runs.c.comparisons)
        .where(runs.c.dataset == dataset, of_another(batch), _stands)
        .where(runs.c.arrival, runs.c.verified)
        .order_by(runs.c.seq.desc())
        .limit(1)
    ).one_or_none()
    return exceeded(map(Comparison.from_dict, json.loads(row.comparisons))) if row else {}


def samples(connection: Connection, dataset: str, batch: str, limit: int) -> list[tuple[str, str]]:
    """Which keys the last batches had, other than this one, that were not quarantined: batch and sample."""
    query = (
        select(runs.c.batch, runs.c.sample)
        .where(runs.c.dataset == dataset, of_another(batch), runs.c.superseded.is_(False))
        .where(_stands, _not_gone, runs.c.sample.is_not(None))
        .order_by(runs.c.seq.desc())
        .limit(limit)
    )
    return [(row.batch, row.sample) for row in connection.execute(query)]


def set_aside(connection: Connection, dataset: str, batch: str, limit: int) -> list[tuple[int, int]]:
    """Of the last published batches, other than this one, newest first: rows delivered, and rows that failed."""
    query = (
        select(runs.c.rows, runs.c.rows_failed)
        .where(runs.c.dataset == dataset, of_another(batch), runs.c.arrival, runs.c.verified)
        .where(_became == Decision.PUBLISH.value)
        .order_by(runs.c.seq.desc())
        .limit(limit)
    )
    return [(row.rows, row.rows_failed) for row in connection.execute(query)]


def same_rows(connection: Connection, dataset: str, batch: str, sha256: str, fingerprint: str | None) -> str | None:
    """Another batch, published or held, with the same bytes or the same rows; None if there is none."""
    same = runs.c.sha256 == sha256
    if fingerprint is not None:
        same = same | (runs.c.fingerprint == fingerprint)
    query = (
        select(runs.c.batch)
        .where(runs.c.dataset == dataset, of_another(batch), runs.c.superseded.is_(False), same)
        .where(_stands, _not_gone)
        .order_by(runs.c.seq)
        .limit(1)
    )
    return connection.scalar(query)
