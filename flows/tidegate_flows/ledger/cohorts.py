"""The cohorts: what labels said of published batches, and the batches that labels may speak of."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select

from tidegate_contracts.batch import Window
from tidegate_flows.ledger.runs import ENDED
from tidegate_flows.ledger.schema import cohorts, runs
from tidegate_monitors.breaker import Decision
from tidegate_monitors.cohort import WHOLE, Cohort
from tidegate_monitors.run import Run
from tidegate_monitors.tally import Sum


@dataclass(frozen=True, slots=True)
class Scored:
    """A published batch.

    Attributes:
        batch: The ledger's key of it.
        run: The run that speaks for it.
        files: Its published files, relative to the store, in the order in which they came.
        ended: The end of its window; where it has none, when it was decided on; seconds.
    """

    batch: str
    run: str
    files: tuple[str, ...]
    ended: float


_LATEST = (cohorts.c.event_end.desc(), cohorts.c.batch.desc())


def scored(connection: Connection, dataset: str) -> list[Scored]:
    """The published batches of a dataset, the newest window first."""
    query = (
        select(runs.c.batch, runs.c.run, runs.c.files, ENDED.label("ended"))
        .where(runs.c.dataset == dataset, runs.c.superseded.is_(False))
        .where(runs.c.decision == Decision.PUBLISH.value)
        .order_by(ENDED.desc(), runs.c.seq.desc())
    )
    return [Scored(row.batch, row.run, tuple(json.loads(row.files)), row.ended) for row in connection.execute(query)]


def window_of(connection: Connection, run: str) -> Window | None:
    """The span of a run's event times."""
    document = connection.execute(select(runs.c.document).where(runs.c.run == run)).scalar_one()
    return Run.from_dict(json.loads(document)).window


def save(connection: Connection, dataset: str, cohort: Cohort, *, ended: float, joined_at: float) -> None:
    """Keep what is known of one batch's labels.

    Args:
        connection: The ledger.
        dataset: Whose.
        cohort: What is known.
        ended: The end of the batch's window, seconds; see :class:`Scored`.
        joined_at: Store clock, seconds.
    """
    connection.execute(delete(cohorts).where(cohorts.c.dataset == dataset, cohorts.c.batch == cohort.batch))
    connection.execute(
        insert(cohorts).values(
            dataset=dataset,
            batch=cohort.batch,
            event_end=ended,
            rows=cohort.rows,
            settled=cohort.settled,
            labelled=cohort.labelled,
            positive=_positive(cohort),
            joined_at=joined_at,
            document=json.dumps(cohort.to_dict(), allow_nan=False),
        )
    )


def positive_shares(connection: Connection, dataset: str, *, settled: float, limit: int) -> list[float]:
    """The mean labels of the latest cohorts whose labels have two classes, the latest last.

    Args:
        connection: The ledger.
        dataset: Whose.
        settled: The least share of settled rows.
        limit: At most so many.
    """
    query = (
        select(cohorts.c.positive)
        .where(cohorts.c.dataset == dataset, cohorts.c.positive.is_not(None))
        .where(cohorts.c.settled >= settled * cohorts.c.rows)
        .order_by(cohorts.c.event_end.desc())
        .limit(limit)
    )
    return [float(share) for share in reversed(connection.scalars(query).all())]


def _positive(cohort: Cohort) -> float | None:
    """The mean label where it lies in [0, 1]; None without labels, and for several classes."""
    tally = cohort.tallies.get(WHOLE)
    sums = tally.overall if tally is not None else None
    if sums is None or not sums[Sum.N]:
        return None
    mean = float(sums[Sum.Y] / sums[Sum.N])
    return mean if 0 <= mean <= 1 else None


def find(connection: Connection, dataset: str, batch: str) -> Cohort | None:
    """What is known of one batch's labels; None before any came."""
    query = select(cohorts.c.document).where(cohorts.c.dataset == dataset, cohorts.c.batch == batch)
    document = connection.scalar(query)
    return None if document is None else Cohort.from_dict(json.loads(document))


def load(
    connection: Connection,
    dataset: str,
    *,
    limit: int | None = None,
    ended: float | None = None,
    also: Collection[str] = (),
) -> list[Cohort]:
    """The cohorts of a dataset in the order of their windows, the latest last.

    Args:
        connection: The ledger.
        dataset: Whose.
        limit: At most so many, the latest.
        ended: Only those whose windows ended by then, seconds.
        also: Batches to have besides, whenever they ended.
    """
    mine = select(cohorts.c.batch).where(cohorts.c.dataset == dataset)
    if ended is not None:
        mine = mine.where(cohorts.c.event_end <= ended)
    chosen = {*connection.scalars(mine.order_by(*_LATEST).limit(limit)), *also}
    query = select(cohorts.c.document).where(cohorts.c.dataset == dataset, cohorts.c.batch.in_(chosen))
    return [Cohort.from_dict(json.loads(text)) for text in reversed(connection.scalars(query.order_by(*_LATEST)).all())]


@dataclass(frozen=True, slots=True)
class Unlabelled:
    """Published batches of which no label has come.

    Attributes:
        batches: How many; 0 or more.
        first: The one whose window ended first; empty for none.
        last: The one whose window ended last.
    """

    batches: int
    first: str
    last: str


def unlabelled(connection: Connection, dataset: str, *, ended: float) -> Unlabelled:
    """The published batches without any label whose windows ended by a time, seconds, after the first labelled one."""
    began = select(func.min(cohorts.c.event_end)).where(cohorts.c.dataset == dataset).scalar_subquery()
    known = select(cohorts.c.batch).where(cohorts.c.dataset == dataset)
    query = (
        select(runs.c.batch)
        .where(runs.c.dataset == dataset, runs.c.superseded.is_(False))
        .where(runs.c.decision == Decision.PUBLISH.value)
        .where(ended >= ENDED, began < ENDED, runs.c.batch.not_in(known))
        .order_by(ENDED, runs.c.seq)
    )
    found = connection.scalars(query).all()
    return Unlabelled(len(found), found[0] if found else "", found[-1] if found else "")


def labelled_last(connection: Connection, dataset: str) -> float | None:
    """When labels last said something new (store clock, seconds); None before any came."""
    last = connection.scalar(select(func.max(cohorts.c.joined_at)).where(cohorts.c.dataset == dataset))
    return None if last is None else float(last)
