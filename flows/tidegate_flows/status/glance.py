"""A dataset at a glance, and what needs a hand."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

from sqlalchemy import Connection, func, select

from tidegate_contracts.severity import Severity
from tidegate_flows.breaker_now import breaker_now
from tidegate_flows.ledger import breakers, contracts
from tidegate_flows.ledger.schema import counters as counted
from tidegate_flows.plain import plain
from tidegate_flows.status.expected import Expected, expected
from tidegate_flows.status.record import Kept, Record, count_kept, document, last_window, recent
from tidegate_flows.status.when import length
from tidegate_monitors.breaker import Breaker, State
from tidegate_monitors.finding import Finding
from tidegate_monitors.run import Run

logger = logging.getLogger("tidegate.status")

STRIP = 60
"""Decisions in a strip."""


class Need(IntEnum):
    """What a dataset needs, the most urgent first."""

    HALTED = 0
    PROBED = 1
    UNREAD = 2
    UNJUDGED = 3
    REFUSED = 4
    LATE = 5
    KEPT = 6
    WARNED = 7
    NOTHING = 8


@dataclass(frozen=True, slots=True)
class Glance:
    """One dataset.

    Attributes:
        name: Its name.
        facts: What the ledger keeps of its contract.
        breaker: Its breaker.
        records: The last runs, the newest first.
        run: The last run; None before any.
        kept: What is kept back.
        expected: The next batch; None where nothing was promised.
        now: When this was read.
        read: Whether all of it could be read; if not, only the breaker is told.
        errors: How often a monitor of it failed, where there is no run yet.
        why: What is behind the breaker's state.
    """

    name: str
    facts: Mapping[str, Any]
    breaker: Breaker
    records: tuple[Record, ...]
    run: Run | None
    kept: Kept
    expected: Expected | None
    now: datetime
    read: bool = True
    errors: int = 0
    why: str | None = None

    @property
    def unjudged(self) -> str:
        """That monitors failed each time and there is no verdict yet, in words; empty where there is one."""
        if not self.errors or self.records or not self.read:
            return ""
        return f"no verdict yet, {self.errors:,} monitor {'error' if self.errors == 1 else 'errors'}"

    @property
    def overridden(self) -> bool:
        """Whether good batches pass although the breaker is not closed."""
        override = self.breaker.override
        return self.breaker.state is not State.CLOSED and override is not None and override.holds(self.now)

    @property
    def passes(self) -> bool:
        """Whether good batches pass now."""
        return self.breaker.state is State.CLOSED or self.overridden

    @property
    def need(self) -> Need:
        """What it needs most."""
        if self.breaker.state is State.OPEN and not self.overridden:
            return Need.HALTED
        if self.breaker.state is not State.CLOSED:
            return Need.PROBED
        if not self.read:
            return Need.UNREAD
        if self.unjudged:
            return Need.UNJUDGED
        if self.records and self.records[0].kind == "quarantined":
            return Need.REFUSED
        if self.expected is not None and self.expected.missing:
            return Need.LATE
        if self.kept.batches:
            return Need.KEPT
        cautioned = self.run is not None and self.run.caution is not None
        return Need.WARNED if self.findings or cautioned else Need.NOTHING

    @property
    def findings(self) -> list[Finding]:
        """Those of the last batch that ask for attention."""
        return [item for item in self.run.findings if item.severity is not Severity.INFO] if self.run else []

    @property
    def missing(self) -> str:
        """Which batches are missing, in words; empty where none is."""
        if self.expected is None or not self.expected.missing:
            return ""
        many = self.expected.missing
        return f"{many:,} {'batch is' if many == 1 else 'batches are'} missing"


def names_of(connection: Connection) -> list[str]:
    """All datasets that the ledger knows."""
    return sorted(contracts.load(connection).keys() | breakers.all_of(connection).keys() | failures(connection).keys())


def failures(connection: Connection) -> dict[str, int]:
    """How often a monitor failed, by dataset: of one whose gate always fails the ledger knows nothing else."""
    query = select(counted.c.dataset, func.sum(counted.c.value)).where(counted.c.name == "monitor_errors_total")
    return {dataset: int(number) for dataset, number in connection.execute(query.group_by(counted.c.dataset))}


def glance(connection: Connection, name: str, facts: Mapping[str, Any], now: datetime) -> Glance:
    """Look at one dataset."""
    records = recent(connection, name, STRIP)
    breaker = breaker_now(breakers.load(connection, name), now)
    return Glance(
        name,
        facts,
        breaker,
        tuple(records),
        document(connection, records[0].run) if records else None,
        count_kept(connection, name),
        expected(facts, last_window(connection, name, facts.get("cadence") or 0.0), now),
        now,
        errors=failures(connection).get(name, 0) if not records else 0,
        why=breakers.why(connection, name, breaker),
    )


def glances(connection: Connection, now: datetime) -> list[Glance]:
    """Look at all, those first that need a hand."""
    facts = contracts.load(connection)
    found = [_guarded(connection, name, facts.get(name, {}), now) for name in names_of(connection)]
    return sorted(found, key=lambda item: (item.need, item.name))


def _guarded(connection: Connection, name: str, facts: Mapping[str, Any], now: datetime) -> Glance:
    """One of many: what cannot be read of it costs the others nothing."""
    try:
        return glance(connection, name, facts, now)
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
        logger.warning("dataset %s cannot be shown: %s", plain(name), type(error).__name__)
        breaker = breaker_now(breakers.load(connection, name), now)
        return Glance(name, facts, breaker, (), None, Kept(), None, now, read=False)


def summary(found: Sequence[Glance]) -> str:
    """All of them in a sentence or two."""
    if not found:
        return "No batch has been gated yet."
    counts = {
        "on probe": sum(not item.passes and item.breaker.state is State.HALF_OPEN for item in found),
        "overridden": sum(item.overridden for item in found),
        "late": sum(bool(item.missing) for item in found),
    }
    if len(found) == 1:
        told = [f"It is {word}" for word, number in counts.items() if number]
    else:
        told = [f"{number} {'is' if number == 1 else 'are'} {word}" for word, number in counts.items() if number]
    kept, unread = sum(item.kept.batches for item in found), sum(not item.read for item in found)
    told += [f"{kept:,} {'batch is' if kept == 1 else 'batches are'} kept back"] if kept else []
    told += [f"The runs of {unread} cannot be read"] if unread else []
    unjudged = sum(bool(item.unjudged) for item in found)
    told += [f"{unjudged} {'has' if unjudged == 1 else 'have'} no verdict yet"] if unjudged and len(found) > 1 else []
    return " ".join([_whole(found), *(f"{item}." for item in told)])


def _whole(found: Sequence[Glance]) -> str:
    """Whether batches pass, in a sentence."""
    many, passing = len(found), sum(item.passes and not item.unjudged for item in found)
    halted = [item.name for item in found if item.need is Need.HALTED]
    if many == 1 and found[0].unjudged and not halted:
        return f"{found[0].name} has {found[0].unjudged}."
    if many == 1:
        return f"{found[0].name} {'is halted' if halted else 'passes' if passing else 'does not pass yet'}."
    if halted:
        return f"{len(halted)} of {many} datasets {'is' if len(halted) == 1 else 'are'} halted: {_few(halted)}."
    if passing == many:
        return f"All {many} datasets pass."
    return f"{passing} of {many} datasets {'passes' if passing == 1 else 'pass'}."


def since(moment: datetime | None, now: datetime) -> str:
    """How long something has been so; empty where nobody knows."""
    return "" if moment is None else length(max(now - moment, timedelta(0)))


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
