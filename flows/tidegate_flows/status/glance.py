"""A dataset at a glance, and what needs a hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

from sqlalchemy import Connection

from tidegate_contracts.severity import Severity
from tidegate_flows.ledger import breakers, contracts
from tidegate_flows.status.expected import Expected, expected
from tidegate_flows.status.record import Kept, Record, count_kept, document, last_window, recent
from tidegate_flows.status.when import length
from tidegate_monitors.breaker import Breaker, State
from tidegate_monitors.run import Run
from tidegate_monitors.verdict import Finding

STRIP = 60
"""Decisions in a strip."""


class Need(IntEnum):
    """What a dataset needs, the most urgent first."""

    HALTED = 0
    PROBED = 1
    REFUSED = 2
    LATE = 3
    KEPT = 4
    WARNED = 5
    NOTHING = 6


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
    """

    name: str
    facts: Mapping[str, Any]
    breaker: Breaker
    records: tuple[Record, ...]
    run: Run | None
    kept: Kept
    expected: Expected | None
    now: datetime

    @property
    def overridden(self) -> bool:
        """Whether good batches pass although the breaker is not closed."""
        override = self.breaker.override
        return self.breaker.state is not State.CLOSED and override is not None and override.holds(self.now)

    @property
    def need(self) -> Need:
        """What it needs most."""
        if self.breaker.state is State.OPEN and not self.overridden:
            return Need.HALTED
        if self.breaker.state is not State.CLOSED:
            return Need.PROBED
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
    return sorted(contracts.load(connection).keys() | breakers.all_of(connection).keys())


def glance(connection: Connection, name: str, facts: Mapping[str, Any], now: datetime) -> Glance:
    """Look at one dataset."""
    records = recent(connection, name, STRIP)
    return Glance(
        name,
        facts,
        breakers.load(connection, name).lost(now, now),
        tuple(records),
        document(connection, records[0].run) if records else None,
        count_kept(connection, name),
        expected(facts, last_window(connection, name), now),
        now,
    )


def glances(connection: Connection, now: datetime) -> list[Glance]:
    """Look at all, those first that need a hand."""
    facts = contracts.load(connection)
    found = [glance(connection, name, facts.get(name, {}), now) for name in names_of(connection)]
    return sorted(found, key=lambda item: (item.need, item.name))


def summary(found: Sequence[Glance]) -> str:
    """All of them in a sentence or two."""
    if not found:
        return "No batch has been gated yet."
    many = len(found)
    halted = [item.name for item in found if item.need is Need.HALTED]
    whole = f"1 of {many} datasets is" if len(halted) == 1 else f"{len(halted)} of {many} datasets are"
    if many == 1:
        first = f"{found[0].name} is halted." if halted else f"{found[0].name} passes."
    elif halted:
        first = f"{whole} halted: {_few(halted)}."
    else:
        first = f"All {many} datasets pass."
    counts = {
        "on probe or overridden": sum(item.need is Need.PROBED for item in found),
        "late": sum(bool(item.missing) for item in found),
    }
    told = [f"{number} {'is' if number == 1 else 'are'} {word}" for word, number in counts.items() if number]
    if many == 1:
        told = [f"It is {word}" for word, number in counts.items() if number]
    kept = sum(item.kept.batches for item in found)
    told += [f"{kept:,} {'batch is' if kept == 1 else 'batches are'} kept back"] if kept else []
    return " ".join([first, *(f"{item}." for item in told)])


def since(moment: datetime | None, now: datetime) -> str:
    """How long something has been so; empty where nobody knows."""
    return "" if moment is None else length(max(now - moment, timedelta(0)))


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
