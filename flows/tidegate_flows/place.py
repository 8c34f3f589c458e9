"""The place of work: the store, the ledger and the clock of one process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection

from tidegate_contracts.errors import UsageError
from tidegate_flows.ledger import Ledger, lost, pairing, runs
from tidegate_flows.ledger.postgres import Patience
from tidegate_flows.settings import Settings, resolve
from tidegate_flows.stores.bucket import Bucket
from tidegate_flows.stores.local import LocalStore

RECENT_RUNS = 20
"""Of so many last runs the longest says how long the next may take."""
LONGEST_LEASE = 3600.0
"""Seconds; nobody waits longer for a worker that died, unless somebody has set the lease."""


def now_utc() -> datetime:
    """The time by the machine's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """Everything outside that a gate touches.

    Attributes:
        store: Where files lie.
        ledger: What was decided.
        lease: Seconds after which a claimed batch may be taken over; at least so many, where ``learns_lease``.
        clock: The time at which things arrive.
        sleep: How a worker waits for another one.
        learns_lease: Whether nobody has set the lease, so that it follows how long runs take.
        bucket: Where published files are put as well; None where they stay in the store.
    """

    store: LocalStore
    ledger: Ledger
    lease: float
    clock: Callable[[], datetime] = now_utc
    sleep: Callable[[float], None] = time.sleep
    learns_lease: bool = False
    bucket: Bucket | None = None

    @property
    def seconds(self) -> float:
        """The store's clock, in seconds since 1970."""
        return self.clock().timestamp()

    def lease_for(self, connection: Connection, dataset: str | None) -> float:
        """The lease of a dataset's batches, seconds: as set, else twice its longest recent run, at least a minute.

        At most an hour, so that a run that hung does not keep the next ones waiting; a dataset whose runs take longer
        needs a lease that somebody sets.

        Args:
            connection: The ledger.
            dataset: Whose; None for the longest of all.
        """
        if not self.learns_lease:
            return self.lease
        longest = runs.longest(connection, dataset, of=RECENT_RUNS)
        return max(self.lease, min(2 * longest, LONGEST_LEASE)) if longest is not None else self.lease


@contextmanager
def at(
    store: str | Path | Settings | None = None,
    *,
    ledger: str | None = None,
    clock: Callable[[], datetime] | None = None,
    must_exist: bool = False,
    read_only: bool = False,
    patience: Patience | None = None,
) -> Iterator[Place]:
    """The place that a store's path or the settings name.

    Args:
        store: A folder, settings already resolved, or None for the settings in force.
        ledger: The ledger's URL; None for the settings in force.
        clock: Where the time comes from; None for the ledger's own clock where several hosts share it, else the
            machine's.
        must_exist: Refuse to begin a new store, for those who act on what is there.
        read_only: For those who only read: a new store is refused, and nothing is made or tried in the folder, which
            may be one that cannot be written.
        patience: How long the ledger is waited for; None for as long as work may take.

    Raises:
        UsageError: There is no store, and none may be begun; or the settings name no ledger that there can be, or not
            that of the store.
        StoreError: It cannot be opened, or written by those who do not only read; or it has lost its ledger.
    """
    there = must_exist or read_only
    settings = store if isinstance(store, Settings) else resolve(store=store, ledger=ledger)
    where = Path(settings.store.value)
    if not settings.ledger.value:
        pairing.require_file(where)
        lost.require_known(where)
    if there and not (where.is_dir() if settings.ledger.value else (where / "ledger.db").is_file()):
        raise UsageError(
            "there is no store here",
            found=f"{settings.store.value} ({settings.store.origin})",
            hint="name one with --store, or gate a batch first",
        )
    files = LocalStore.open(settings.store.value, read_only=read_only)
    book = Ledger.open(settings.ledger.value, files.root, must_exist=there, patience=patience)
    try:
        if settings.ledger.value:
            pairing.pair(book, files.root, read_only=there)
        now = clock or book.clock or now_utc
        bucket = Bucket.of(files.root, "" if there else settings.publish.value)
        yield Place(files, book, settings.lease_seconds, now, learns_lease=settings.learns_lease, bucket=bucket)
    finally:
        book.close()
