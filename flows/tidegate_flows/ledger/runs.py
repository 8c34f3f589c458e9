"""The runs: every verdict with what it was based on, and what must still happen on disk."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, insert, not_, or_, select, update

from tidegate_contracts.batch import Source, iso
from tidegate_flows.ledger import standings
from tidegate_flows.ledger.schema import runs
from tidegate_flows.ledger.standings import Standing
from tidegate_monitors.breaker import Decision
from tidegate_monitors.comparison import Comparison
from tidegate_monitors.run import Run

if TYPE_CHECKING:
    from tidegate_monitors.profile import Profile


@dataclass(frozen=True, slots=True)
class Move:
    """One rename that carries out a decision; paths are relative to the store.

    Attributes:
        source: Where the prepared file or folder lies.
        target: Where it belongs; if something is there already, the move was made before.
        sha256: What a published file must hash to; None for folders.
        until: Made only while this prepared file is still there: once it is in place, the way was made before.
    """

    source: str
    target: str
    sha256: str | None = None
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run with what it was based on.

    Attributes:
        run: The run.
        batch: The ledger's key of the batch (the id, or id~hash).
        source: Where the bytes came from.
        profile: What was kept of them; None for an unreadable batch.
        comparisons: Every statistic.
        moves: What must happen on disk.
        files: The published files, relative to the store.
        completed_at: Store clock, seconds.
        arrival: Whether the batch came just now; False where it was judged again.
        accepted: Whether later batches may be held against it.
        stood: Another key under which a run spoke for these bytes until now; None for none.
        failed: Rows that broke a clause, set aside or not.
    """

    run: Run
    batch: str
    source: Source
    profile: Profile | None
    comparisons: Sequence[Comparison]
    moves: Sequence[Move]
    files: Sequence[str]
    completed_at: float
    arrival: bool = True
    accepted: bool = False
    stood: str | None = None
    failed: int = 0


def add(connection: Connection, recorded: Recorded) -> None:
    """Write a run down; earlier runs of the same batch no longer speak for it."""
    run = recorded.run
    keys = or_(runs.c.batch == recorded.batch, runs.c.batch == (recorded.stood or recorded.batch))
    same = runs.c.batch == (recorded.stood or recorded.batch)  # not what a revision supersedes: it is kept for itself
    before = select(func.min(runs.c.kept_since)).where(runs.c.dataset == run.dataset, same, ~runs.c.superseded)
    since = connection.scalar(before) if not recorded.arrival else None
    connection.execute(update(runs).where(runs.c.dataset == run.dataset, keys).values(superseded=True))
    connection.execute(
        insert(runs).values(
            run=run.id,
            dataset=run.dataset,
            batch=recorded.batch,
            decision=run.decision.value,
            completed_at=recorded.completed_at,
            kept_since=since if since is not None else recorded.completed_at,
            event_end=run.window.end.timestamp() if run.window else None,
            rows=run.counts.delivered,
            rows_quarantined=run.counts.quarantined,
            rows_failed=recorded.failed,
            received_at=iso(run.at),
            source=json.dumps(
                {"name": recorded.source.name, "suffix": recorded.source.suffix, "bytes": recorded.source.bytes}
            ),
            sha256=recorded.source.sha256,
            fingerprint=str(recorded.profile.fingerprint) if recorded.profile else None,
            files=json.dumps(list(recorded.files)),
            discarded=False,
            arrival=recorded.arrival,
            verified=run.verified,
            revision=run.revision,
            seconds=run.seconds,
            would=run.would,
            document=json.dumps(run.to_dict(), allow_nan=False),
            comparisons=json.dumps([item.to_dict() for item in recorded.comparisons], allow_nan=False),
            profile=json.dumps(recorded.profile.to_dict()) if recorded.profile else None,
            layout=recorded.profile.layout if recorded.profile else None,
            sample=str(recorded.profile.sample) if recorded.profile else None,
            accepted=recorded.accepted,
            moves=_moves_json(recorded.moves),
            moved=not recorded.moves,
            superseded=False,
        )
    )


def readmit(
    connection: Connection,
    old: Row[Any],
    run: Run,
    moves: Sequence[Move],
    files: Sequence[str],
    completed_at: float,
    *,
    batch: str,
) -> None:
    """Write down that rows came back: a new run speaks for the batch, based on what the old one saw."""
    stood = or_(runs.c.run == old.run, (runs.c.dataset == run.dataset) & (runs.c.batch == batch))
    connection.execute(update(runs).where(stood).values(superseded=True))
    values = {key: value for key, value in old._mapping.items() if key != "seq"}
    values |= {
        "run": run.id,
        "batch": batch,
        "revision": run.revision,
        "decision": run.decision.value,
        "completed_at": completed_at,
        "rows_quarantined": run.counts.quarantined,
        "would": run.would,
        "files": json.dumps(list(files)),
        "document": json.dumps(run.to_dict(), allow_nan=False),
        "moves": _moves_json(moves),
        "moved": False,
        "superseded": False,
        "arrival": False,
        "accepted": old.accepted and old.decision == Decision.PUBLISH.value,
    }
    connection.execute(insert(runs).values(**values))


def supersede(connection: Connection, run: str) -> None:
    """Write down that a run no longer speaks for its batch, and none does in its place."""
    connection.execute(update(runs).where(runs.c.run == run).values(superseded=True))


def discard(connection: Connection, run: str, moves: Sequence[Move]) -> None:
    """Write down that a run's quarantine is emptied."""
    values = {"discarded": True, "moves": _moves_json(moves), "moved": False}
    connection.execute(update(runs).where(runs.c.run == run).values(**values))


def source_of(row: Row[Any]) -> Source:
    """Where a run's bytes came from."""
    return Source(sha256=row.sha256, **json.loads(row.source))


def _moves_json(moves: Sequence[Move]) -> str:
    return json.dumps([[move.source, move.target, move.sha256, move.until] for move in moves])


def get(connection: Connection, run: str) -> Row[Any]:
    """One run's row."""
    return connection.execute(select(runs).where(runs.c.run == run)).one()


def unmoved(connection: Connection, dataset: str | None = None) -> list[tuple[str, str, list[Move]]]:
    """Runs whose files are not all in place, oldest first: run, dataset, moves."""
    query = select(runs.c.run, runs.c.dataset, runs.c.moves).where(runs.c.moved.is_(False)).order_by(runs.c.seq)
    if dataset is not None:
        query = query.where(runs.c.dataset == dataset)
    return [
        (row.run, row.dataset, [Move(*move) for move in json.loads(row.moves)]) for row in connection.execute(query)
    ]


def mark_moved(connection: Connection, run: str) -> None:
    """All files of a run are in place."""
    connection.execute(update(runs).where(runs.c.run == run).values(moved=True))


def current(
    connection: Connection, dataset: str | None = None, decisions: Iterable[Decision] | None = None
) -> list[Row[Any]]:
    """The runs that speak for their batches, in the order in which they were committed."""
    query = select(runs).where(runs.c.superseded.is_(False)).order_by(runs.c.seq)
    if dataset is not None:
        query = query.where(runs.c.dataset == dataset)
    if decisions is not None:
        query = query.where(runs.c.decision.in_([decision.value for decision in decisions]))
    return list(connection.execute(query))


def history(connection: Connection, dataset: str) -> list[Row[Any]]:
    """All runs of a dataset, those that no longer speak for their batch too, as they were committed."""
    return list(connection.execute(select(runs).where(runs.c.dataset == dataset).order_by(runs.c.seq)))


def speaking_for(connection: Connection, dataset: str, batch: str) -> Row[Any] | None:
    """The run that speaks for one batch, or None."""
    query = select(runs).where(runs.c.dataset == dataset, runs.c.batch == batch, runs.c.superseded.is_(False))
    return connection.execute(query).one_or_none()


def speaking_for_bytes_of(connection: Connection, run: str) -> Row[Any] | None:
    """The run that speaks for the bytes of a run, under its key or, of a revision that was published, under the id."""
    old = get(connection, run)
    keys = dict.fromkeys((old.batch, old.batch.partition("~")[0]))
    found = (speaking_for(connection, old.dataset, key) for key in keys)
    return next((row for row in found if row is not None and row.sha256 == old.sha256), None)


def first_held(connection: Connection, dataset: str) -> Row[Any] | None:
    """The held batch that comes first by its events; None if nothing is held."""
    waits = runs.c.superseded.is_(False), runs.c.decision == Decision.HOLD.value, runs.c.discarded.is_(False)
    order = runs.c.event_end.is_(None), runs.c.event_end, runs.c.seq
    return connection.execute(
        select(runs).where(runs.c.dataset == dataset, *waits).order_by(*order).limit(1)
    ).one_or_none()


def latest(connection: Connection, dataset: str) -> Row[Any] | None:
    """The run of the batch that arrived last."""
    return connection.execute(
        select(runs).where(runs.c.dataset == dataset, runs.c.arrival).order_by(runs.c.seq.desc()).limit(1)
    ).one_or_none()


def longest(connection: Connection, dataset: str | None, *, of: int) -> float | None:
    """How long the longest of the last runs took, seconds; of one dataset, or of all; None before any."""
    last = select(runs.c.seconds).order_by(runs.c.seq.desc()).limit(of)
    if dataset is not None:
        last = last.where(runs.c.dataset == dataset)
    found: float | None = connection.scalar(select(func.max(last.subquery().c.seconds)))
    return found


def names_file(connection: Connection, dataset: str, file: str) -> bool:
    """Whether any run, also one that no longer speaks for its batch, published a file of this name."""
    named = runs.c.files.contains(json.dumps(file), autoescape=True)
    return connection.scalar(select(runs.c.run).where(runs.c.dataset == dataset, named).limit(1)) is not None


def summary(connection: Connection, dataset: str) -> Standing:
    """What the runs that speak for a dataset's batches amount to."""
    return standings.of_one(connection, dataset)


ENDED = func.coalesce(runs.c.event_end, runs.c.completed_at)
"""The end of a run's window; of a batch without event times when it was decided on."""


def accepted(
    connection: Connection, dataset: str, layout: str, *, until: float, before: float | None, limit: int
) -> list[tuple[str, str, float]]:
    """The latest published batches that others may be held against: run, batch and end of window, newest first.

    Args:
        connection: The ledger.
        dataset: Whose.
        layout: The sha256 of the layout of their profiles.
        until: Windows end here at the latest, seconds.
        before: Windows end before this, where a slow drift is told since then.
        limit: How many.
    """
    query = (
        select(runs.c.run, runs.c.batch, ENDED.label("ended"))
        .where(runs.c.dataset == dataset, runs.c.layout == layout, runs.c.superseded.is_(False), runs.c.accepted)
        .where(runs.c.decision == Decision.PUBLISH.value, until >= ENDED)
        .order_by(ENDED.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(before > ENDED)
    return [(row.run, row.batch, row.ended) for row in connection.execute(query)]


def published_before(connection: Connection, dataset: str, batch: str, end: float | None) -> Row[Any] | None:
    """The published run whose window ended last before another batch's did; by its order where there are no windows.

    Args:
        connection: The ledger.
        dataset: Whose.
        batch: The id of the other batch, which does not count itself.
        end: The end of its window, seconds.

    Returns:
        The run's ``batch`` and ``files``; None where nothing was published before.
    """
    query = (
        select(runs.c.batch, runs.c.files)
        .where(runs.c.dataset == dataset, of_another(batch), runs.c.superseded.is_(False))
        .where(runs.c.decision == Decision.PUBLISH.value)
        .order_by(ENDED.desc() if end is not None else runs.c.seq.desc())
        .limit(1)
    )
    if end is not None:
        query = query.where(end > ENDED)
    return connection.execute(query).one_or_none()


def of_another(batch: str) -> ColumnElement[bool]:
    """Runs of other batches: under no key of this id."""
    return and_(runs.c.batch != batch, not_(runs.c.batch.startswith(f"{batch}~", autoescape=True)))


def ended(connection: Connection, dataset: str, batch: str) -> float | None:
    """When a batch ended, by the run that speaks for it and the same clock as :func:`accepted`."""
    query = select(ENDED).where(runs.c.dataset == dataset, runs.c.batch == batch, runs.c.superseded.is_(False))
    found: float | None = connection.scalar(query)
    return found
