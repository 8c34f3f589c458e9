"""Who works on which batch: claims with a lease and a fencing token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from tidegate_contracts.errors import StoreError
from tidegate_flows.ledger.schema import batches, runs
from tidegate_monitors.breaker import Decision


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to decide on a batch.

    Attributes:
        dataset: Whose batch.
        batch: Its id; with ``~`` and 12 hex digits of its hash where the id already stands for other bytes.
        sha256: The bytes it stands for.
        token: Raised by every claim; a commit with an older one is refused.
    """

    dataset: str
    batch: str
    sha256: str
    token: int

    @property
    def rewritten(self) -> bool:
        """Whether the id already stands for other bytes."""
        return "~" in self.batch


@dataclass(frozen=True, slots=True)
class Decided:
    """These bytes under this id have a verdict already.

    Attributes:
        run: The run that gave it.
    """

    run: str


@dataclass(frozen=True, slots=True)
class Busy:
    """Somebody else is working on it.

    Attributes:
        seconds: When their lease ends, from now.
    """

    seconds: float


def claim(
    connection: Connection, dataset: str, batch: str, sha256: str, *, now: float, lease: float
) -> Claim | Decided | Busy:
    """Claim a batch, or say why not."""
    row = _row(connection, dataset, batch)
    if row is None:
        connection.execute(
            insert(batches).values(
                dataset=dataset, batch=batch, sha256=sha256, token=1, lease_until=now + lease, run=None
            )
        )
        return Claim(dataset, batch, sha256, 1)
    spent = row.run is not None and _nothing_published(connection, row.run)
    if row.run is not None and row.sha256 != sha256 and not spent:
        return claim(connection, dataset, f"{batch}~{sha256[:12]}", sha256, now=now, lease=lease)
    if row.lease_until > now:
        return Busy(row.lease_until - now)
    if row.run is not None and row.sha256 == sha256 and not _discarded(connection, row.run):
        return Decided(row.run)
    return _take(connection, dataset, batch, sha256, row.token + 1, now + lease)


def reclaim(connection: Connection, dataset: str, batch: str, *, now: float, lease: float) -> Claim | Busy:
    """Claim a batch that already has a verdict, to judge it again.

    Raises:
        StoreError: The ledger does not know it.
    """
    row = _row(connection, dataset, batch)
    if row is None:
        raise StoreError(f"the ledger knows no batch {batch!r} of {dataset!r}")
    if row.lease_until > now:
        return Busy(row.lease_until - now)
    return _take(connection, dataset, batch, row.sha256, row.token + 1, now + lease)


def settle(connection: Connection, held: Claim, run: str) -> None:
    """Write the verdict's run down, if the claim is still ours.

    Raises:
        StoreError: Somebody else has taken the batch over since.
    """
    changed = connection.execute(
        update(batches)
        .where(batches.c.dataset == held.dataset, batches.c.batch == held.batch, batches.c.token == held.token)
        .values(run=run, lease_until=0.0)
    )
    if changed.rowcount != 1:
        raise StoreError(
            f"batch {held.batch!r} of {held.dataset!r} was taken over by another worker",
            hint="its verdict is theirs; run the same command again to see it",
        )


def give_up(connection: Connection, held: Claim) -> None:
    """Let go of a claim without a verdict, so that the next worker need not wait for the lease."""
    connection.execute(
        update(batches)
        .where(batches.c.dataset == held.dataset, batches.c.batch == held.batch, batches.c.token == held.token)
        .values(lease_until=0.0)
    )


def _row(connection: Connection, dataset: str, batch: str) -> Row[Any] | None:
    return connection.execute(
        select(batches).where(batches.c.dataset == dataset, batches.c.batch == batch)
    ).one_or_none()


def _nothing_published(connection: Connection, run: str) -> bool:
    """Whether a run refused its batch, so that other bytes under its id rewrite no history."""
    return connection.scalar(select(runs.c.decision).where(runs.c.run == run)) == Decision.QUARANTINE.value


def _discarded(connection: Connection, run: str) -> bool:
    return bool(connection.scalar(select(runs.c.discarded).where(runs.c.run == run)))


def _take(connection: Connection, dataset: str, batch: str, sha256: str, token: int, until: float) -> Claim:
    connection.execute(
        update(batches)
        .where(batches.c.dataset == dataset, batches.c.batch == batch)
        .values(token=token, lease_until=until, sha256=sha256)
    )
    return Claim(dataset, batch, sha256, token)
