"""Taking what lands in a folder or bucket, in order, each batch once; and saying what does not come."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import StoreError, TidegateError
from tidegate_flows.gate import gate_at
from tidegate_flows.intake import natural_id
from tidegate_flows.landing import DONE, Landed, landed
from tidegate_flows.place import Place
from tidegate_flows.schedule import Overdue, count_once, overdue
from tidegate_flows.signals import ask_upstream
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


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that lies there and is not taken yet, or is passed over.

    Attributes:
        name: Its name there.
        why: What it waits for.
        overdue: Whether it has waited for longer than there is patience.
    """

    name: str
    why: str
    overdue: bool


@dataclass(slots=True)
class _Noticed:
    """What was seen of something that lies there; times are those of looks.

    Attributes:
        item: As it was seen last.
        first: When it was first seen since it was last taken.
        since: When it was first seen as it is.
        looks: How many have found it as it is.
        changed: Whether it was seen to change.
        told: When it was last told of; None if it was not.
    """

    item: Landed
    first: float
    since: float
    looks: int = 1
    changed: bool = False
    told: float | None = None


@dataclass(slots=True)
class Watcher:
    """A look every now and then at one place for one dataset.

    A file is taken once two looks, at least ``settle`` seconds apart, find it unchanged and what it depends on is
    ready; while it is not, those behind it wait. Where there is one look alone (``once``), its own time of change must
    be as old. A file that still grows is never taken, however long that takes. One that does not, and waits only for
    what it depends on, is gated as it is after ``patience`` seconds, so that its own verdict says what is missing. A
    folder that nobody says is whole is never gated: after ``patience`` seconds it is told of, and those behind it go
    on.

    Bytes that were gated before give their stored run and are not told again; other bytes under a known name are
    gated, and are what the ledger says they are. What could not be taken is tried again when it has changed, or after
    ``patience`` seconds.

    Attributes:
        place: The store and its clock.
        contract: What is promised.
        where: A folder or URL.
        settle: Seconds.
        patience: Seconds.
        once: Whether no other look follows.
    """

    place: Place
    contract: Contract
    where: str
    settle: float = 5.0
    patience: float = 600.0
    once: bool = False
    _taken: dict[str, Landed] = field(default_factory=dict)
    _refused: dict[str, float] = field(default_factory=dict)
    _noticed: dict[str, _Noticed] = field(default_factory=dict)
    _told: datetime | None = None

    def look(self) -> Iterator[Run | Refused | Waiting | Overdue]:
        """Take what is ready, one after the other, then say what should have come and has not, once.

        Raises:
            UsageError: There is no such folder.
            StoreError: The place, store or ledger cannot be used. What was at hand is taken at the next look.
            MonitorError: A check or statistic raised; likewise.
        """
        items = landed(self.where)
        now = self.place.seconds
        self._forget({item.name for item in items})
        for item in items:
            self._see(item, now)
        for item in items:
            if self._is_done(item):
                continue
            waits = self._waits(item, now)
            if waits is None:
                yield from self._take(item)
                continue
            if self._is_to_be_told(waits, now):
                yield waits
            if not self._is_passed_over(item, waits):
                break  # those behind it would overtake it
        missing = overdue(self.place, self.contract, self.place.clock())
        if missing is not None and missing.since != self._told:
            count_once(self.place, self.contract, missing)
            logger.info("%s: %s", self.contract.name, missing.alarm(self.contract).message)
            yield missing
        self._told = missing.since if missing is not None else None

    def _take(self, item: Landed) -> Iterator[Run | Refused]:
        try:
            run = gate_at(self.place, item.place, self.contract)
        except TidegateError as error:
            if error.exit_code == StoreError.exit_code:  # it must be tried again, before those behind it
                raise
            self._taken[item.name], self._refused[item.name] = item, self.place.seconds
            yield Refused(item.name, str(error))
            return
        self._taken[item.name] = item
        self._refused.pop(item.name, None)
        if not run.repeated:
            yield run

    def _forget(self, there: set[str]) -> None:
        """Let go of what no longer lies there."""
        self._taken = {name: item for name, item in self._taken.items() if name in there}
        self._refused = {name: moment for name, moment in self._refused.items() if name in there}
        self._noticed = {name: seen for name, seen in self._noticed.items() if name in there}

    def _see(self, item: Landed, now: float) -> None:
        """Remember how something looks now, and since when."""
        seen = self._noticed.get(item.name)
        if seen is None:
            self._noticed[item.name] = _Noticed(item, now, now)
        elif seen.item == item:
            seen.looks += 1
        else:
            first = now if self._taken.get(item.name) == seen.item else seen.first
            self._noticed[item.name] = _Noticed(item, first, now, changed=True, told=seen.told)

    def _is_done(self, item: Landed) -> bool:
        """Whether nothing is to be done with it: it was taken as it is, or refused not long ago."""
        if self._taken.get(item.name) != item:
            return False
        refused = self._refused.get(item.name)
        return refused is None or self.place.seconds - refused < self.patience

    def _waits(self, item: Landed, now: float) -> Waiting | None:
        """What a batch waits for; None where it is ready."""
        seen = self._noticed[item.name]
        if item.trouble is not None:
            return Waiting(item.name, f"it cannot be looked at: {item.trouble}", overdue=True)
        if item.finished is False:
            written = max(item.changed or now, seen.since if seen.changed else 0.0)
            why = f"its folder has no file {DONE} that says it is whole"
            return Waiting(item.name, why, overdue=now - written >= self.patience)
        if item.finished is None:
            unsettled = self._unsettled_once(item, now) if self.once else self._unsettled(seen, now)
            if unsettled is not None:
                return unsettled
        if self._upstream_is_ready(item):
            return None
        since = item.changed if self.once and item.changed is not None else seen.since
        if now - since >= self.patience:
            logger.warning("%s has waited %g s for what it depends on, and is taken as it is", item.name, now - since)
            return None
        return Waiting(item.name, "what it depends on is not ready", overdue=False)

    def _unsettled(self, seen: _Noticed, now: float) -> Waiting | None:
        if seen.looks > 1 and now - seen.since >= self.settle:
            return None
        return Waiting(seen.item.name, "it is still being written", overdue=now - seen.first >= self.patience)

    def _unsettled_once(self, item: Landed, now: float) -> Waiting | None:
        if item.changed is None:
            why = "its place does not say when it was written, so that one look cannot tell whether it is whole"
            return Waiting(item.name, why, overdue=True)
        age = now - item.changed
        if age >= self.settle:
            return None
        young = f"it changed less than {self.settle:g} s ago, and may still be written"
        why = young if age >= 0 else "it was written at a time that is still to come"
        return Waiting(item.name, why, overdue=-age >= self.patience)

    def _is_to_be_told(self, waits: Waiting, now: float) -> bool:
        """A single look tells what it leaves; a watch that goes on only what is overdue, once in a while."""
        seen = self._noticed[waits.name]
        due = self.once or (waits.overdue and (seen.told is None or now - seen.told >= self.patience))
        if due:
            seen.told = now
        return due

    @staticmethod
    def _is_passed_over(item: Landed, waits: Waiting) -> bool:
        """Whether those behind it go on: nobody can say that it is a batch."""
        return waits.overdue and (item.trouble is not None or item.finished is False)

    def _upstream_is_ready(self, item: Landed) -> bool:
        answers = ask_upstream(self.contract, item.place, natural_id(Path(item.place)))
        return not any(isinstance(answer, str) for answer in answers.values())
