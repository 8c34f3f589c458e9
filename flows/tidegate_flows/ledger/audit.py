"""The audit: append-only, one hash chain a dataset."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select

from tidegate_contracts.batch import iso, utc
from tidegate_flows.ledger.schema import audit, contracts, runs

FORMAT = 1
_START = "0" * 64


def append(
    connection: Connection,
    dataset: str,
    event: str,
    *,
    at: Any,
    batch: str | None = None,
    run: str | None = None,
    by: str | None = None,
    reason: str | None = None,
) -> None:
    """Add one entry to the dataset's chain. ``at`` is a datetime."""
    last = connection.execute(
        select(audit.c.seq, audit.c.sha256).where(audit.c.dataset == dataset).order_by(audit.c.seq.desc()).limit(1)
    ).one_or_none()
    content = {
        "seq": last.seq + 1 if last else 1,
        "at": iso(utc(at)),
        "dataset": dataset,
        "event": event,
        "batch": batch,
        "run": run,
        "by": by,
        "reason": reason,
    }
    previous = last.sha256 if last else _START
    connection.execute(insert(audit).values(**content, previous=previous, sha256=_link(previous, content)))


def entries(connection: Connection, dataset: str | None = None) -> Iterator[dict[str, Any]]:
    """All entries of a dataset, or of all, in order."""
    query = select(audit).order_by(audit.c.dataset, audit.c.seq)
    if dataset is not None:
        query = query.where(audit.c.dataset == dataset)
    for row in connection.execute(query).mappings():
        yield {"format": FORMAT, **row}


@dataclass(frozen=True, slots=True)
class Chain:
    """The audit of one dataset, verified.

    Attributes:
        dataset: Whose.
        entries: How many there are.
        head: The hash of the last; 64 zeros without any.
        first_break: The first entry that does not follow from what it says and the one before; None if all hold.
        hashes: Of all entries.
        unaudited: Batches whose verdict, the one that stands, has no entry: entries were removed.
    """

    dataset: str
    entries: int
    head: str
    first_break: int | None
    hashes: frozenset[str]
    unaudited: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing is missing or changed, as far as the ledger alone can tell."""
        return self.first_break is None and not self.unaudited


def names(connection: Connection) -> list[str]:
    """The datasets that have, or should have, an audit: an audit that was emptied does not name its dataset."""
    found = {
        name for table in (audit, contracts, runs) for name in connection.scalars(select(table.c.dataset).distinct())
    }
    return sorted(found)


def verify(connection: Connection, dataset: str) -> Chain:
    """Follow a dataset's chain from its start, and look for the entry of every verdict that stands.

    What was removed at the end leaves a chain that holds. The ledger itself shows it only where a verdict stands that
    has no entry; everything else shows against a head that was noted elsewhere.
    """
    previous, expected, broken, hashes, told = _START, 1, None, set(), set()
    for entry in entries(connection, dataset):
        content = {key: entry[key] for key in ("seq", "at", "dataset", "event", "batch", "run", "by", "reason")}
        holds = entry["seq"] == expected and entry["previous"] == previous
        if broken is None and not (holds and entry["sha256"] == _link(previous, content)):
            broken = expected
        hashes.add(entry["sha256"])
        if entry["event"].startswith("batch."):
            told.add(entry["run"])
        previous, expected = entry["sha256"], expected + 1
    standing = select(runs.c.run, runs.c.batch).where(runs.c.dataset == dataset, runs.c.superseded.is_(False))
    rows = connection.execute(standing.order_by(runs.c.seq))
    unaudited = tuple(row.batch for row in rows if row.run not in told)
    return Chain(dataset, expected - 1, previous, broken, frozenset(hashes), unaudited)


def heads(connection: Connection) -> dict[str, str]:
    """The hash of the last entry by dataset."""
    last = select(audit.c.dataset, func.max(audit.c.seq).label("seq")).group_by(audit.c.dataset).subquery()
    query = select(audit.c.dataset, audit.c.sha256).join(
        last, (audit.c.dataset == last.c.dataset) & (audit.c.seq == last.c.seq)
    )
    return {row.dataset: row.sha256 for row in connection.execute(query)}


def lengths(connection: Connection) -> dict[str, int]:
    """Entries by dataset."""
    rows = connection.execute(select(audit.c.dataset, func.count()).group_by(audit.c.dataset))
    return {dataset: int(number) for dataset, number in rows}


def _link(previous: str, content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256((previous + text).encode("utf-8", "surrogatepass")).hexdigest()
