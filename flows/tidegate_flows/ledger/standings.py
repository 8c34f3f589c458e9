"""How all datasets stand: each answer is a statement or two, and looks at no run's documents."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    Row,
    ScalarSelect,
    Select,
    String,
    bindparam,
    func,
    select,
    union,
)

from tidegate_flows.ledger.schema import audit, breakers, cohorts, contracts, label_reports, runs, streams
from tidegate_monitors.breaker import Decision


@dataclass(frozen=True, slots=True)
class Standing:
    """What the runs of a dataset amount to; times in seconds since 1970, None where there is nothing.

    Attributes:
        last_published: When a batch was last published.
        event_time_max: The end of the latest published window.
        window_last: The end of the latest window that came, whatever became of it, as its events say; what the
            schedule goes by is :func:`window_believed`.
        quarantined: Batches in quarantine, partly or wholly.
        held: Batches held.
        oldest: Since when the oldest batch in quarantine or held is kept back.
        labelled: When labels last said something new.
        arrived: The place, among all runs, of the run of the batch that arrived last.
        audit_entries: Entries in its audit.
        audit_head: The hash of the last of them.
    """

    last_published: float | None
    event_time_max: float | None
    window_last: float | None
    quarantined: int
    held: int
    oldest: float | None
    labelled: float | None = None
    arrived: int | None = None
    audit_entries: int = 0
    audit_head: str | None = None


def of_all(connection: Connection) -> dict[str, Standing]:
    """How each dataset stands."""
    return {row.dataset: _standing(row, **_more(row)) for row in connection.execute(_all())}


@cache
def _all() -> Select[Any]:
    names = union(select(contracts.c.dataset), select(breakers.c.dataset)).subquery("names")
    name = names.c.dataset
    labelled = select(func.max(cohorts.c.joined_at)).where(cohorts.c.dataset == name)
    arrived = select(func.max(runs.c.seq)).where(runs.c.dataset == name, runs.c.arrival)
    entries = select(func.count()).select_from(audit).where(audit.c.dataset == name)
    head = select(audit.c.sha256).where(audit.c.dataset == name).order_by(audit.c.seq.desc()).limit(1)
    return select(
        name,
        *_columns(name),
        labelled.scalar_subquery().label("labelled"),
        arrived.scalar_subquery().label("arrived"),
        entries.scalar_subquery().label("audit_entries"),
        head.scalar_subquery().label("audit_head"),
    ).order_by(name)


def _more(row: Row[Any]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("labelled", "arrived", "audit_entries", "audit_head")}


def of_one(connection: Connection, dataset: str) -> Standing:
    """How one dataset stands, as far as its runs tell."""
    return _standing(connection.execute(select(*_columns(dataset))).one())


def window_believed(connection: Connection, dataset: str, cadence: float) -> float | None:
    """The end of the latest window that came, as the schedule goes by it; None before any did.

    Only by a wrong time does a window end more than an interval after the dataset's last verdict. It counts as if it
    ended an interval after its own: else one such time would let nothing be missed until it is past.

    Args:
        connection: The ledger.
        dataset: Whose.
        cadence: The interval between two batches, in seconds.
    """
    last = connection.execute(_last(), {"dataset": dataset}).one()
    ends, decided = _greatest(last[0::2]), _greatest(last[1::2])
    if ends is None or decided is None:
        return None
    believed = decided + cadence
    if ends <= believed:
        return ends
    split = connection.execute(_last_around(), {"dataset": dataset, "believed": believed}).one()
    before, beyond = _greatest(split[0::2]), _greatest(split[1::2])
    return _greatest((before, beyond + cadence if beyond is not None else None))


def _greatest(times: Iterable[float | None]) -> float | None:
    return max((time for time in times if time is not None), default=None)


@cache
def _last() -> Select[Any]:
    """By decision the end of the latest window, and the latest verdict."""
    dataset = bindparam("dataset", type_=String)
    ends = [(func.max(runs.c.event_end), "ends"), (func.max(runs.c.completed_at), "decided")]
    return select(*(_told(dataset, it, what, f"{it.value}_{name}") for it in Decision for what, name in ends))


@cache
def _last_around() -> Select[Any]:
    """By decision the end of the latest window that can be believed, and the latest verdict on one that cannot."""
    dataset, believed = bindparam("dataset", type_=String), bindparam("believed", type_=Float)
    ends = runs.c.event_end
    columns: list[ColumnElement[Any]] = []
    for it in Decision:
        columns.append(_told(dataset, it, func.max(ends), f"{it.value}_before", ends <= believed))
        columns.append(_told(dataset, it, func.max(runs.c.completed_at), f"{it.value}_beyond", ends > believed))
    return select(*columns)


def _standing(row: Row[Any], **more: Any) -> Standing:
    windows = (row.publish_window, row.quarantine_window, row.hold_window)
    times = (row.quarantine_oldest, row.partial_oldest, row.hold_oldest)
    return Standing(
        last_published=row.last_published,
        event_time_max=row.publish_window,
        window_last=max((end for end in windows if end is not None), default=None),
        quarantined=row.quarantined + row.partial,
        held=row.held,
        oldest=min((time for time in times if time is not None), default=None),
        **more,
    )


def _columns(dataset: ColumnElement[str] | str) -> list[ColumnElement[Any]]:
    """One small question each, which an index answers by itself."""
    found: list[ColumnElement[Any]] = [
        _told(dataset, Decision.PUBLISH, func.max(runs.c.completed_at), "last_published")
    ]
    found += [_told(dataset, it, func.max(runs.c.event_end), f"{it.value}_window") for it in Decision]
    there, partial = (~runs.c.discarded,), (~runs.c.discarded, runs.c.rows_quarantined > 0)
    oldest = func.min(runs.c.kept_since)
    for decision, only, name in (
        (Decision.QUARANTINE, there, "quarantined"),
        (Decision.PUBLISH, partial, "partial"),
        (Decision.HOLD, there, "held"),
    ):
        found.append(_told(dataset, decision, func.count(), name, *only))
    for decision, only, name in (
        (Decision.QUARANTINE, there, "quarantine_oldest"),
        (Decision.PUBLISH, partial, "partial_oldest"),
        (Decision.HOLD, there, "hold_oldest"),
    ):
        found.append(_told(dataset, decision, oldest, name, *only))
    return found


def _told(
    dataset: ColumnElement[str] | str,
    decision: Decision,
    what: ColumnElement[Any],
    name: str,
    *only: ColumnElement[bool],
) -> ColumnElement[Any]:
    """Something of the runs that speak for a dataset's batches and decided one thing."""
    query: ScalarSelect[Any] = (
        select(what)
        .select_from(runs)
        .where(runs.c.dataset == dataset, ~runs.c.superseded, runs.c.decision == decision.value, *only)
        .scalar_subquery()
    )
    return query.label(name)


@dataclass(frozen=True, slots=True)
class Arrived:
    """The run of a batch that arrived.

    Attributes:
        run: Its id.
        rows: Rows delivered.
        completed_at: When its verdict was committed, store clock, seconds.
    """

    run: str
    rows: int
    completed_at: float


def arrived(connection: Connection, seqs: Collection[int]) -> dict[int, Arrived]:
    """Some runs by their places."""
    query = select(runs.c.seq, runs.c.run, runs.c.rows, runs.c.completed_at).where(runs.c.seq.in_(seqs))
    return {row.seq: Arrived(row.run, row.rows, row.completed_at) for row in connection.execute(query)}


@dataclass(frozen=True, slots=True)
class Documents:
    """What is kept of a run as JSON; none of it ever changes.

    Attributes:
        run: The run.
        comparisons: Every statistic.
        profile: Of its rows; None for an unreadable batch.
    """

    run: str
    comparisons: str
    profile: str | None


def documents(connection: Connection, chosen: Collection[str]) -> dict[str, Documents]:
    """What is kept of some runs, by run."""
    columns = (runs.c.run, runs.c.document, runs.c.comparisons, runs.c.profile)
    rows = connection.execute(select(*columns).where(runs.c.run.in_(chosen))) if chosen else ()
    return {row.run: Documents(row.document, row.comparisons, row.profile) for row in rows}


def judgements(connection: Connection) -> dict[str, tuple[str, float]]:
    """By dataset the judgement of its labels as JSON, and the settled share of the batches that labels named last."""
    rows = connection.execute(select(label_reports.c.dataset, label_reports.c.document, label_reports.c.settled_share))
    return {row.dataset: (row.document, row.settled_share) for row in rows}


def slow_drifts(connection: Connection) -> dict[str, Mapping[str, float]]:
    """By dataset and column the evidence of slow drift over its threshold."""
    rows = connection.execute(select(streams.c.dataset, streams.c.ratios))
    return {row.dataset: json.loads(row.ratios) for row in rows}
