"""Who works on which batch: claims with a lease and a fencing token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from tidegate_contracts.errors import StoreError, UsageError
from tidegate_flows.ledger.schema import batches, runs
from tidegate_monitors.breaker import Decision


@dataclass(frozen=True, slots=True)
class Revision:
    """Somebody has other bytes supersede what an id stands for.

    Attributes:
        by: Who.
        reason: Why.
        token: Of the claim on the id itself, which is held besides.
    """

    by: str
    reason: str
    token: int = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to decide on a batch.

    Attributes:
        dataset: Whose batch.
        batch: The ledger's key: the id; with ``~`` and 12 hex digits of its hash where the id stands for other bytes.
        sha256: The bytes it stands for.
        token: Raised by every claim; a commit with an older one is refused.
        revises: Who has these bytes supersede those that the id stands for, if they pass; None for nobody.
    """

    dataset: str
    batch: str
    sha256: str
    token: int
    revises: Revision | None = None

    @property
    def id(self) -> str:
        """The batch's id."""
        return self.batch.partition("~")[0]

    @property
    def rewritten(self) -> bool:
        """Whether the id already stands for other bytes, and nobody has these supersede them."""
        return "~" in self.batch and self.revises is None


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
    connection: Connection,
    dataset: str,
    batch: str,
    sha256: str,
    *,
    now: float,
    lease: float,
    revision: Revision | None = None,
) -> Claim | Decided | Busy:
    """Claim a batch, or say why not.

    Args:
        connection: The transaction.
        dataset: Whose.
        batch: Its id.
        sha256: Its bytes.
        now: Store clock, seconds.
        lease: After how many seconds another worker may take it over.
        revision: Who has these bytes supersede others under the id; None where nobody said so.

    Raises:
        UsageError: There is nothing under the id that could be superseded.
    """
    row = _row(connection, dataset, batch)
    if revision is not None and (row is None or (row.run is None and row.lease_until <= now)):
        raise UsageError(
            f"no batch {batch!r} of {dataset!r} to supersede",
            allowed="the id of a batch that was delivered before",
            hint="is it the right --batch-id? A first delivery needs no --supersede",
        )
    if row is None:
        connection.execute(
            insert(batches).values(
                dataset=dataset, batch=batch, sha256=sha256, token=1, lease_until=now + lease, run=None
            )
        )
        return Claim(dataset, batch, sha256, 1)
    spent = row.run is not None and _nothing_published(connection, row.run)
    if row.run is not None and row.sha256 != sha256 and not spent:
        beside = f"{batch}~{sha256[:12]}"
        if revision is not None:
            return _claim_revision(connection, row, beside, sha256, revision, now, now + lease)
        return claim(connection, dataset, beside, sha256, now=now, lease=lease)
    if row.lease_until > now:
        return Busy(row.lease_until - now)
    if row.run is not None and row.sha256 == sha256 and not _discarded(connection, row.run):
        return Decided(row.run)
    return _take(connection, row, sha256, now + lease)


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
    if row.revised_by is None:
        return _take(connection, row, row.sha256, now + lease)
    standing = _row(connection, dataset, batch.partition("~")[0])
    if standing is None:
        raise StoreError(f"the ledger knows no batch that {batch!r} of {dataset!r} could supersede")
    if standing.lease_until > now:
        return Busy(standing.lease_until - now)
    return _take_both(connection, standing, row, row.sha256, Revision(row.revised_by, row.revised_why), now + lease)


def settle(connection: Connection, held: Claim, run: str, batch: str | None = None) -> None:
    """Write the verdict's run down, if the claim is still ours.

    Args:
        connection: The transaction.
        held: The claim.
        run: The verdict's run.
        batch: The key that it speaks for: the claim's own, or of a revision the id, for which it stands from now on.

    Raises:
        StoreError: Somebody else has taken the batch over since.
    """
    if held.revises is None:
        _release(connection, held, held.batch, held.token, run=run)
    elif batch == held.id:
        free = {"run": None, "revised_by": None, "revised_why": None}
        _release(connection, held, held.id, held.revises.token, run=run, sha256=held.sha256)
        _release(connection, held, held.batch, held.token, **free)
    else:
        _release(connection, held, held.id, held.revises.token)
        _release(connection, held, held.batch, held.token, run=run)


def give_up(connection: Connection, held: Claim) -> None:
    """Let go of a claim without a verdict, so that the next worker need not wait for the lease."""
    _let_go(connection, held.dataset, held.batch, held.token)
    if held.revises is not None:
        _let_go(connection, held.dataset, held.id, held.revises.token)


def is_known(connection: Connection, dataset: str, batch: str) -> bool:
    """Whether anything was ever delivered under an id."""
    return _row(connection, dataset, batch) is not None


def _claim_revision(
    connection: Connection, standing: Row[Any], beside: str, sha256: str, revision: Revision, now: float, until: float
) -> Claim | Decided | Busy:
    """Claim other bytes under an id, and the id with them: nobody may decide on what they would supersede meanwhile."""
    row = _row(connection, standing.dataset, beside)
    for one in (standing, row):
        if one is not None and one.lease_until > now:
            return Busy(one.lease_until - now)
    if row is None:
        values = {"dataset": standing.dataset, "batch": beside, "sha256": sha256, "token": 0, "lease_until": 0.0}
        connection.execute(insert(batches).values(**values))
        row = _row(connection, standing.dataset, beside)
        assert row is not None  # noqa: S101 - it was just made
    elif row.run is not None and not _discarded(connection, row.run):
        unsigned = row.revised_by is None and _nothing_published(connection, row.run)
        if not unsigned:  # what was refused only because nobody signed is judged anew
            return Decided(row.run)
    return _take_both(connection, standing, row, sha256, revision, until)


def _take_both(
    connection: Connection, standing: Row[Any], row: Row[Any], sha256: str, revision: Revision, until: float
) -> Claim:
    upper = _take(connection, standing, standing.sha256, until)
    signed = Revision(revision.by, revision.reason, upper.token)
    return _take(connection, row, sha256, until, signed)


def _row(connection: Connection, dataset: str, batch: str) -> Row[Any] | None:
    return connection.execute(
        select(batches).where(batches.c.dataset == dataset, batches.c.batch == batch)
    ).one_or_none()


def _nothing_published(connection: Connection, run: str) -> bool:
    """Whether a run refused its batch, so that other bytes under its id rewrite no history."""
    return connection.scalar(select(runs.c.decision).where(runs.c.run == run)) == Decision.QUARANTINE.value


def _discarded(connection: Connection, run: str) -> bool:
    return bool(connection.scalar(select(runs.c.discarded).where(runs.c.run == run)))


def _take(connection: Connection, row: Row[Any], sha256: str, until: float, revision: Revision | None = None) -> Claim:
    signed = (revision.by, revision.reason) if revision is not None else (None, None)
    connection.execute(
        update(batches)
        .where(batches.c.dataset == row.dataset, batches.c.batch == row.batch)
        .values(token=row.token + 1, lease_until=until, sha256=sha256, revised_by=signed[0], revised_why=signed[1])
    )
    return Claim(row.dataset, row.batch, sha256, row.token + 1, revision)


def _release(connection: Connection, held: Claim, batch: str, token: int, **values: Any) -> None:
    changed = connection.execute(
        update(batches)
        .where(batches.c.dataset == held.dataset, batches.c.batch == batch, batches.c.token == token)
        .values(lease_until=0.0, **values)
    )
    if changed.rowcount != 1:
        raise StoreError(
            f"batch {batch!r} of {held.dataset!r} was taken over by another worker",
            hint="its verdict is theirs; run the same command again to see it",
        )


def _let_go(connection: Connection, dataset: str, batch: str, token: int) -> None:
    connection.execute(
        update(batches)
        .where(batches.c.dataset == dataset, batches.c.batch == batch, batches.c.token == token)
        .values(lease_until=0.0)
    )
