"""Who works on which batch: claims with a lease and a fencing token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from tidegate_contracts.errors import StoreError, UsageError
from tidegate_flows.ledger.schema import batches, cohorts, runs
from tidegate_flows.signature import THE_GATE
from tidegate_monitors.breaker import Decision

_REFUSED_IN_SHADOW = ("quarantine", "halt")
_UNSIGNED: dict[str, Any] = {"revised_by": None, "revised_why": None}


@dataclass(frozen=True, slots=True)
class Revision:
    """Somebody has other bytes supersede what an id stands for.

    Attributes:
        by: Who.
        reason: Why.
        token: Of the claim on the id itself, which is held besides.
        beside: Other bytes under the id that were published beside it, key and token of each: claimed too.
    """

    by: str
    reason: str
    token: int = 0
    beside: tuple[tuple[str, int], ...] = ()


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
    if revision is not None and (row is None or (row.run is None and not _left(row, now))):
        raise UsageError(
            f"no batch {batch!r} of {dataset!r} to supersede",
            allowed="the id of a batch that was delivered before",
            hint="is it the right --batch-id? A first delivery needs no --supersede",
        )
    if row is None:
        connection.execute(
            insert(batches).values(
                dataset=dataset, batch=batch, sha256=sha256, token=1, lease_until=now + lease, lease=lease, run=None
            )
        )
        return Claim(dataset, batch, sha256, 1)
    others = _published_beside(connection, row, revision) if revision is not None and row.run is not None else []
    if row.run is not None and row.sha256 != sha256 and (others or not _is_spent(connection, row.run)):
        beside = f"{batch}~{sha256[:12]}"
        revision = revision or _mending(connection, row.run)
        if revision is not None:
            return _claim_revision(connection, row, beside, sha256, revision, now, lease)
        return claim(connection, dataset, beside, sha256, now=now, lease=lease)
    if left := _left(row, now):
        return Busy(left)
    if row.run is not None and row.sha256 == sha256 and not _discarded(connection, row.run):
        return Decided(row.run)
    return _take(connection, row, sha256, now, lease)


def reclaim(connection: Connection, dataset: str, batch: str, *, now: float, lease: float) -> Claim | Busy:
    """Claim a batch that already has a verdict, to judge it again.

    Raises:
        StoreError: The ledger does not know it.
    """
    row = _row(connection, dataset, batch)
    if row is None:
        raise StoreError(f"the ledger knows no batch {batch!r} of {dataset!r}")
    if left := _left(row, now):
        return Busy(left)
    if row.revised_by is None:
        return _take(connection, row, row.sha256, now, lease)
    standing = _row(connection, dataset, batch.partition("~")[0])
    if standing is None:
        raise StoreError(f"the ledger knows no batch that {batch!r} of {dataset!r} could supersede")
    revision = Revision(row.revised_by, row.revised_why)
    others = _published_beside(connection, standing, revision)
    if left := _longest_left(now, standing, *others):
        return Busy(left)
    return _take_all(connection, standing, row, others, revision, now, lease)


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
    signs = held.revises
    signed = {"revised_by": signs.by, "revised_why": signs.reason} if signs is not None else _UNSIGNED
    if signs is None or batch != held.id:
        _release(connection, held, held.batch, held.token, run=run, **signed)
    else:
        _release(connection, held, held.batch, held.token, run=None, **_UNSIGNED)
    if signs is not None:
        stands = {"run": run, "sha256": held.sha256} if batch == held.id else {}
        _release(connection, held, held.id, signs.token, **stands)
        for key, token in signs.beside:
            _release(connection, held, key, token)


def waiting_beside(connection: Connection, held: Claim) -> list[tuple[str, str]]:
    """Other revisions of a claimed revision's id that are held: key and run. Whoever has the id has them too."""
    query = (
        select(batches.c.batch, batches.c.run)
        .join(runs, runs.c.run == batches.c.run)
        .where(batches.c.dataset == held.dataset, batches.c.batch.startswith(f"{held.id}~", autoescape=True))
        .where(batches.c.batch != held.batch, batches.c.revised_by.is_not(None))
        .where(runs.c.decision == Decision.HOLD.value, runs.c.discarded.is_(False))
        .order_by(runs.c.seq)
    )
    return [(row.batch, row.run) for row in connection.execute(query)]


def free(connection: Connection, dataset: str, batch: str) -> None:
    """Nothing stands under a key any more, no labels either: the same bytes are judged anew if they come again."""
    of_key = batches.c.dataset == dataset, batches.c.batch == batch
    connection.execute(update(batches).where(*of_key).values(run=None, **_UNSIGNED))
    connection.execute(delete(cohorts).where(cohorts.c.dataset == dataset, cohorts.c.batch == batch))


def give_up(connection: Connection, held: Claim) -> None:
    """Let go of a claim without a verdict, so that the next worker need not wait for the lease."""
    revises = held.revises
    others = ((held.id, revises.token), *revises.beside) if revises is not None else ()
    for key, token in ((held.batch, held.token), *others):
        mine = batches.c.dataset == held.dataset, batches.c.batch == key, batches.c.token == token
        connection.execute(update(batches).where(*mine).values(lease_until=0.0))


def is_known(connection: Connection, dataset: str, batch: str) -> bool:
    """Whether anything was ever delivered under an id."""
    return _row(connection, dataset, batch) is not None


def _claim_revision(
    connection: Connection, standing: Row[Any], beside: str, sha256: str, revision: Revision, now: float, lease: float
) -> Claim | Decided | Busy:
    """Claim other bytes under an id, and the id with them: nobody may decide on what they would supersede meanwhile.

    Bytes that were published beside the id are judged under a key of their own when somebody signs for them: what is
    published stands until they take its place.
    """
    others = _published_beside(connection, standing, revision)
    if beside in [other.batch for other in others]:
        beside += "~"
    row = _row(connection, standing.dataset, beside)
    if left := _longest_left(now, standing, row, *others):
        return Busy(left)
    if row is None:
        values = {"dataset": standing.dataset, "batch": beside, "sha256": sha256, "token": 0}
        connection.execute(insert(batches).values(**values, lease_until=0.0, lease=0.0))
        row = _row(connection, standing.dataset, beside)
        assert row is not None  # noqa: S101 - it was just made
    elif row.run is not None and not _discarded(connection, row.run):
        unsigned = row.revised_by is None and _decision(connection, row.run) != Decision.PUBLISH.value
        if not unsigned:  # what was refused or held while nobody had signed is judged anew
            return Decided(row.run)
    return _take_all(connection, standing, row, others, revision, now, lease)


def _published_beside(connection: Connection, standing: Row[Any], revision: Revision) -> list[Row[Any]]:
    """Other bytes under an id that were published beside it, because the contract let them; a signature is for all.

    Whatever mends a batch without a signature leaves them where they are.
    """
    if revision.by == THE_GATE:
        return []
    query = (
        select(batches)
        .join(runs, runs.c.run == batches.c.run)
        .where(batches.c.dataset == standing.dataset, batches.c.batch.startswith(f"{standing.batch}~", autoescape=True))
        .where(runs.c.decision == Decision.PUBLISH.value)
        .order_by(runs.c.seq)
    )
    return list(connection.execute(query))


def _left(row: Row[Any], now: float) -> float:
    """For how many seconds a batch is another worker's; 0 if it may be had.

    A claim that would last longer than twice its own lease was made before the clock was set back. Whoever made it and
    works on still is too late by its token. A clock that is put right by less costs nobody a claim.
    """
    left: float = row.lease_until - now
    return left if 0 < left <= 2 * row.lease else 0.0


def _longest_left(now: float, *rows: Row[Any] | None) -> float:
    """For how many seconds one of several batches is another worker's."""
    return max(_left(row, now) for row in rows if row is not None)


def _take_all(
    connection: Connection,
    standing: Row[Any],
    row: Row[Any],
    others: list[Row[Any]],
    revision: Revision,
    now: float,
    lease: float,
) -> Claim:
    """Take a revision, the id, and what was published beside it."""
    upper = _take(connection, standing, standing.sha256, now, lease)
    beside = tuple((other.batch, _take(connection, other, other.sha256, now, lease).token) for other in others)
    signed = Revision(revision.by, revision.reason, upper.token, beside)
    return _take(connection, row, row.sha256, now, lease, signed)


def _row(connection: Connection, dataset: str, batch: str) -> Row[Any] | None:
    return connection.execute(
        select(batches).where(batches.c.dataset == dataset, batches.c.batch == batch)
    ).one_or_none()


def _is_spent(connection: Connection, run: str) -> bool:
    """Whether a run refused its batch, or was let go of, so that other bytes under its id rewrite no history."""
    return _decision(connection, run) == Decision.QUARANTINE.value or _discarded(connection, run)


def _decision(connection: Connection, run: str) -> str | None:
    found: str | None = connection.scalar(select(runs.c.decision).where(runs.c.run == run))
    return found


def _mending(connection: Connection, run: str) -> Revision | None:
    """Who has other bytes supersede a run: of what only the shadow let pass the gate itself, for it was refused."""
    if connection.scalar(select(runs.c.would).where(runs.c.run == run)) not in _REFUSED_IN_SHADOW:
        return None
    return Revision(THE_GATE, "what was published in shadow would not have been")


def _discarded(connection: Connection, run: str) -> bool:
    """Whether a whole batch was let go of; one of which rows are published stands, whatever became of the others."""
    whole = (runs.c.run == run) & (runs.c.decision != Decision.PUBLISH.value)
    return bool(connection.scalar(select(runs.c.discarded).where(whole)))


def _take(
    connection: Connection, row: Row[Any], sha256: str, now: float, lease: float, revision: Revision | None = None
) -> Claim:
    connection.execute(
        update(batches)
        .where(batches.c.dataset == row.dataset, batches.c.batch == row.batch)
        .values(token=row.token + 1, lease_until=now + lease, lease=lease, sha256=sha256)
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
