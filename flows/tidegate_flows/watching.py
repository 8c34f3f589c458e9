"""Taking what lands in a folder or bucket, in order, each batch once; and saying what does not come."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import StoreError, TidegateError
from tidegate_flows.circumstances import ask_upstream
from tidegate_flows.gate import gate_at
from tidegate_flows.intake import natural_id
from tidegate_flows.landing import Landed, landed
from tidegate_flows.ledger import counters
from tidegate_flows.place import Place
from tidegate_flows.schedule import Overdue, overdue
from tidegate_monitors.run import Run

logger = logging.getLogger("tidegate.watch")


@dataclass(frozen=True, slots=True)
class Refused:
    """Something that lies there and could not be taken.

    Attributes:
        name: Its name there.
        why: What stood in the way.
    """

    name: str
    why: str


@dataclass(slots=True)
class Watcher:
    """A look every now and then at one place for one dataset.

    A file is taken once it has not changed for ``settle`` seconds and what it depends on is ready; while it is not,
    those behind it wait, but no longer than ``patience`` seconds: then it is gated as it is, so that its own verdict
    says what is missing. Bytes that were gated before give their stored run and are not told again; other bytes under
    a known name are gated, and are what the ledger says they are.

    Attributes:
        place: The store and its clock.
        contract: What is promised.
        where: A folder or URL.
        settle: Seconds.
        patience: Seconds.
    """

    place: Place
    contract: Contract
    where: str
    settle: float = 5.0
    patience: float = 600.0
    _taken: dict[str, Landed] = field(default_factory=dict)
    _noticed: dict[str, tuple[Landed, float, float]] = field(default_factory=dict)
    _told: datetime | None = None

    def look(self) -> Iterator[Run | Refused | Overdue]:
        """Take what is ready, one after the other, then say what should have come and has not, once.

        Raises:
            UsageError: There is no such folder.
            StoreError: The place, store or ledger cannot be used.
        """
        for item in landed(self.where):
            if self._taken.get(item.name) == item:
                continue
            if not self._is_ready(item):
                break  # those behind it would overtake it
            self._taken[item.name] = item
            self._noticed.pop(item.name, None)
            yield from self._take(item)
        missing = overdue(self.place, self.contract, self.place.clock())
        if missing is not None and missing.since != self._told:
            alarm = missing.alarm(self.contract)
            with self.place.ledger.begin() as connection:
                counters.bump(
                    connection, "findings_total", self.contract.name, check=alarm.check, severity=alarm.severity.value
                )
            logger.warning("%s: %s", self.contract.name, alarm.message)
            yield missing
        self._told = missing.since if missing is not None else None

    def _take(self, item: Landed) -> Iterator[Run | Refused]:
        try:
            run = gate_at(self.place, item.place, self.contract)
        except StoreError:
            self._taken.pop(item.name)  # it must be tried again
            raise
        except TidegateError as error:
            yield Refused(item.name, str(error))
            return
        if not run.repeated:
            yield run

    def _is_ready(self, item: Landed) -> bool:
        """Whether a batch is whole, or has been waited for long enough."""
        now = self.place.seconds
        before = self._noticed.get(item.name)
        first = before[1] if before is not None else now
        since = before[2] if before is not None and before[0] == item else now
        self._noticed[item.name] = (item, first, since)
        if now - first >= self.patience:
            logger.warning("%s was not finished within %g s, and is taken as it is", item.name, self.patience)
            return True
        quiet = item.finished or now - since >= self.settle or (item.changed is not None and self._old(item, now))
        return bool(quiet) and item.finished is not False and self._upstream_is_ready(item)

    def _old(self, item: Landed, now: float) -> bool:
        return item.changed is not None and now - item.changed >= self.settle

    def _upstream_is_ready(self, item: Landed) -> bool:
        if "://" in item.place:
            return True
        answers = ask_upstream(self.contract, item.place, natural_id(Path(item.place)))
        return not any(isinstance(answer, str) for answer in answers.values())
