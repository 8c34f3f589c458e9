"""A run as the pages list it: what can be read of the ledger without reading what the run was based on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, false, func, select

from tidegate_contracts.batch import parse_iso
from tidegate_flows.ledger import standings
from tidegate_flows.ledger.schema import runs
from tidegate_flows.status.when import from_seconds
from tidegate_monitors.breaker import Decision
from tidegate_monitors.comparison import Comparison
from tidegate_monitors.run import Run

STANDS = runs.c.superseded == false()
"""A run that speaks for its batch; written so that SQLite sees that the index of these runs is meant."""


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the ledger.

    Attributes:
        seq: Its place in the ledger.
        run: The run's id.
        batch: The ledger's key of the batch.
        decision: What became of the batch.
        at: The batch's time for the breaker, in UTC.
        event_end: The end of its window, in UTC; None without one.
        rows: Rows delivered.
        aside: Rows quarantined.
        discarded: Whether what was kept back was deleted by hand.
        superseded: Whether it no longer speaks for its batch.
        revision: Which revision of the batch it decided on; 1 where nothing was published under the id before.
    """

    seq: int
    run: str
    batch: str
    decision: Decision
    at: datetime
    event_end: datetime | None
    rows: int
    aside: int
    discarded: bool = False
    superseded: bool = False
    revision: int = 1

    @property
    def held(self) -> int:
        """Rows that were held for the breaker."""
        return self.rows - self.aside if self.decision is Decision.HOLD else 0

    @property
    def published(self) -> int:
        """Rows that readers may use."""
        return self.rows - self.aside if self.decision is Decision.PUBLISH else 0

    @property
    def kind(self) -> str:
        """Its look: ``published``, ``partial`` (rows set aside), ``quarantined`` or ``held``."""
        if self.decision is Decision.PUBLISH:
            return "partial" if self.aside else "published"
        return "quarantined" if self.decision is Decision.QUARANTINE else "held"


_FIELDS = (
    runs.c.seq,
    runs.c.run,
    runs.c.batch,
    runs.c.decision,
    runs.c.received_at,
    runs.c.event_end,
    runs.c.rows,
    runs.c.rows_quarantined,
    runs.c.discarded,
    runs.c.superseded,
    runs.c.revision,
)


def recent(connection: Connection, dataset: str, limit: int, *, before: int | None = None) -> list[Record]:
    """The last runs of a dataset, the newest first; only those before a place in the ledger where one is named."""
    query = select(*_FIELDS).where(runs.c.dataset == dataset).order_by(runs.c.seq.desc()).limit(limit)
    return _records(connection, query if before is None else query.where(runs.c.seq < before))


def of_batch(connection: Connection, dataset: str, batch: str) -> list[Record]:
    """All runs of one batch, the newest first."""
    here = (runs.c.dataset == dataset) & (runs.c.batch == batch)
    return _records(connection, select(*_FIELDS).where(here).order_by(runs.c.seq.desc()))


def became(connection: Connection, dataset: str, record: Record) -> Record | None:
    """The run by which bytes that were kept beside a known id came to stand for it; None where they never did."""
    sha256 = select(runs.c.sha256).where(runs.c.run == record.run).scalar_subquery()
    later = (runs.c.batch == record.batch.partition("~")[0]) & (runs.c.sha256 == sha256) & (runs.c.seq > record.seq)
    query = select(*_FIELDS).where(runs.c.dataset == dataset, later).order_by(runs.c.seq).limit(1)
    return next(iter(_records(connection, query)), None)


def kept_back(connection: Connection, dataset: str, limit: int, *, before: int | None = None) -> list[Record]:
    """The batches that are held or in quarantine, wholly or in part, the newest first."""
    query = select(*_FIELDS).where(_kept(dataset)).order_by(runs.c.seq.desc()).limit(limit)
    return _records(connection, query if before is None else query.where(runs.c.seq < before))


@dataclass(frozen=True, slots=True)
class Kept:
    """How much is kept back.

    Attributes:
        held: Batches that wait for the breaker.
        quarantined: Batches quarantined as a whole.
        partial: Published batches of which rows were set aside.
    """

    held: int = 0
    quarantined: int = 0
    partial: int = 0

    @property
    def batches(self) -> int:
        """All of them."""
        return self.held + self.quarantined + self.partial

    @property
    def words(self) -> str:
        """How many of which."""
        counts = {"held": self.held, "quarantined": self.quarantined, "published in part": self.partial}
        return ", ".join(f"{number:,} {word}" for word, number in counts.items() if number)


def count_kept(connection: Connection, dataset: str) -> Kept:
    """Count what is kept back."""
    query = select(runs.c.decision, func.count()).where(_kept(dataset)).group_by(runs.c.decision)
    found = {decision: int(number) for decision, number in connection.execute(query)}
    names = (Decision.HOLD, Decision.QUARANTINE, Decision.PUBLISH)
    return Kept(*(found.get(name.value, 0) for name in names))


def last_window(connection: Connection, dataset: str, cadence: float) -> datetime | None:
    """The end of the latest window that came, in UTC, as the schedule goes by it."""
    return from_seconds(standings.window_believed(connection, dataset, cadence))


def document(connection: Connection, run: str) -> Run:
    """A run as it was written down."""
    return Run.from_dict(json.loads(connection.execute(select(runs.c.document).where(runs.c.run == run)).scalar_one()))


def documents(connection: Connection, records: Sequence[Record]) -> dict[str, Run]:
    """The runs of some records, by id."""
    chosen = select(runs.c.run, runs.c.document).where(runs.c.run.in_([record.run for record in records]))
    return {row.run: Run.from_dict(json.loads(row.document)) for row in connection.execute(chosen)}


def comparisons(connection: Connection, run: str) -> list[Comparison]:
    """Every statistic of a run."""
    text = connection.execute(select(runs.c.comparisons).where(runs.c.run == run)).scalar_one()
    return [Comparison.from_dict(item) for item in json.loads(text)]


def _kept(dataset: str) -> ColumnElement[bool]:
    aside = (runs.c.decision != Decision.PUBLISH.value) | (runs.c.rows_quarantined > 0)
    return (runs.c.dataset == dataset) & STANDS & runs.c.discarded.is_(False) & aside


def _records(connection: Connection, query: Select[Any]) -> list[Record]:
    return [_record(row) for row in connection.execute(query)]


def _record(row: Row[Any]) -> Record:
    at = parse_iso(row.received_at)
    if at is None:
        raise ValueError("a run without a time")
    decision, end = Decision(row.decision), from_seconds(row.event_end)
    return Record(
        row.seq,
        row.run,
        row.batch,
        decision,
        at,
        end,
        row.rows,
        row.rows_quarantined,
        row.discarded,
        row.superseded,
        row.revision,
    )


def in_time(records: Sequence[Record]) -> list[Record]:
    """The records that speak for their batch, one a batch, by the end of their windows, the newest first."""
    found = [record for record in records if not record.superseded]
    return sorted(found, key=lambda record: (record.event_end or record.at, record.seq), reverse=True)
