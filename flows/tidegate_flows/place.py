"""The place of work: the store, the ledger and the clock of one process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tidegate_contracts.errors import UsageError
from tidegate_flows.ledger import Ledger, pairing
from tidegate_flows.settings import Settings, resolve
from tidegate_flows.stores.local import LocalStore


def now_utc() -> datetime:
    """The time by the machine's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """Everything outside that a gate touches.

    Attributes:
        store: Where files lie.
        ledger: What was decided.
        lease: Seconds after which a claimed batch may be taken over.
        clock: The time at which things arrive.
        sleep: How a worker waits for another one.
    """

    store: LocalStore
    ledger: Ledger
    lease: float
    clock: Callable[[], datetime] = now_utc
    sleep: Callable[[float], None] = time.sleep

    @property
    def seconds(self) -> float:
        """The store's clock, in seconds since 1970."""
        return self.clock().timestamp()


@contextmanager
def at(
    store: str | Path | Settings | None = None,
    *,
    ledger: str | None = None,
    clock: Callable[[], datetime] | None = None,
    must_exist: bool = False,
) -> Iterator[Place]:
    """The place that a store's path or the settings name.

    Args:
        store: A folder, settings already resolved, or None for the settings in force.
        ledger: The ledger's URL; None for the settings in force.
        clock: Where the time comes from; None for the ledger's own clock where several hosts share it, else the
            machine's.
        must_exist: Refuse to make a new store, for commands that only read.

    Raises:
        UsageError: ``must_exist``, and there is no store; or the settings name no ledger that there can be, or not
            that of the store.
        StoreError: It cannot be opened or written.
    """
    settings = store if isinstance(store, Settings) else resolve(store=store, ledger=ledger)
    where = Path(settings.store.value)
    if not settings.ledger.value:
        pairing.require_file(where)
    if must_exist and not (where.is_dir() if settings.ledger.value else (where / "ledger.db").is_file()):
        raise UsageError(
            "there is no store here",
            found=f"{settings.store.value} ({settings.store.origin})",
            hint="name one with --store, or gate a batch first",
        )
    files = LocalStore.open(settings.store.value)
    book = Ledger.open(settings.ledger.value, files.root, must_exist=must_exist)
    try:
        if settings.ledger.value:
            pairing.pair(book, files.root, read_only=must_exist)
        yield Place(files, book, settings.lease_seconds, clock or book.clock or now_utc)
    finally:
        book.close()
