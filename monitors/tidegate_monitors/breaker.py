"""The circuit breaker: a pure state machine; the ledger keeps it, the gate asks it.

States: ``closed`` (batches pass) → ``open`` after ``failure_threshold`` critical batches in a row (good batches are
held) → ``half_open`` once ``cool_down`` is over, or somebody asks for a probe (exactly one batch is the probe) →
``closed`` if the probe passes, ``open`` again if it fails or is lost. Source of the pattern: M. Nygard (2018), "Release
It!", section 5.2.

One that a person tripped waits for a person: no cool-down is over for it, and a probe that fails changes nothing of
that.

An override lets good batches pass a breaker that is not closed for a time; it ends by itself, or when somebody trips
the breaker, or when it closes. It changes no state.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


class State(StrEnum):
    """Whether batches pass."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Decision(StrEnum):
    """What becomes of a batch."""

    PUBLISH = "publish"
    QUARANTINE = "quarantine"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Policy:
    """When a breaker changes its state.

    Attributes:
        failure_threshold: Critical batches in a row that open it; at least 1.
        cool_down: How long it stays open before a probe; None waits for a person.
    """

    failure_threshold: int = 1
    cool_down: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """Good batches pass although the breaker is not closed, because somebody said so.

    Attributes:
        until: When it ends, by the store's clock.
        by: Who.
        reason: Why.
    """

    until: datetime
    by: str
    reason: str

    def holds(self, clock: datetime) -> bool:
        """Whether it has not ended."""
        return clock < self.until


@dataclass(frozen=True, slots=True)
class Breaker:
    """The state of one dataset's breaker.

    Attributes:
        state: Closed, open or half open.
        failures: Critical batches in a row.
        changed_at: When it last changed its state; None if never.
        cause: The batch, or the person's words, behind the last change.
        probe: The one batch that a half-open breaker is waiting for; None for whichever comes next.
        probe_until: By when that batch must have its verdict, by the store's clock; None where nothing waits.
        override: What somebody allowed, perhaps long over; None while it is closed.
        tripped: Whether a person opened it, so that only a person has it tried or closed.
    """

    state: State = State.CLOSED
    failures: int = 0
    changed_at: datetime | None = None
    cause: str | None = None
    probe: str | None = None
    probe_until: datetime | None = None
    override: Override | None = None
    tripped: bool = False

    def admit(self, batch: str, now: datetime, policy: Policy) -> Breaker:
        """The breaker as a batch finds it: an open one whose cool-down is over takes this batch as its probe."""
        if self.state is State.HALF_OPEN and self.probe is None:
            return replace(self, probe=batch)
        if self.state is not State.OPEN or self.tripped or policy.cool_down is None or self.changed_at is None:
            return self
        if now < self.changed_at + policy.cool_down:
            return self
        return replace(self, state=State.HALF_OPEN, changed_at=now, cause=batch, probe=batch, probe_until=None)

    def step(self, batch: str, now: datetime, policy: Policy, *, critical: bool) -> tuple[Breaker, Decision]:
        """Judge one batch: what becomes of it, and the breaker after it.

        A critical batch is always quarantined. A good one is published by a closed breaker or as a passing probe,
        else held. Only the probe moves a half-open breaker.
        """
        if self.state is State.HALF_OPEN and batch == self.probe:
            return self._after_probe(batch, now, critical=critical)
        if not critical:
            if self.state is State.CLOSED:
                return replace(self, failures=0), Decision.PUBLISH
            return self, Decision.HOLD
        failures = self.failures + 1
        if self.state is State.CLOSED and failures >= policy.failure_threshold:
            return Breaker(State.OPEN, failures, now, batch), Decision.QUARANTINE
        return replace(self, failures=failures), Decision.QUARANTINE

    def without_verdict(self) -> Decision:
        """What becomes of a batch of which no monitor could say anything: it moves nothing, and is never a probe."""
        return Decision.PUBLISH if self.state is State.CLOSED else Decision.HOLD

    def lets_pass(self, clock: datetime) -> bool:
        """Whether who reads the data may go on: it is closed, or somebody allowed it until later than now."""
        return self.state is State.CLOSED or (self.override is not None and self.override.holds(clock))

    def overridden(self, decision: Decision, clock: datetime) -> bool:
        """Whether a batch that would be held passes, because somebody allowed it until later than now."""
        return decision is Decision.HOLD and self.override is not None and self.override.holds(clock)

    def lost(self, clock: datetime, now: datetime) -> Breaker:
        """The breaker once its probe's time is over: a probe that has no verdict by then has failed."""
        if self.state is not State.HALF_OPEN or self.probe_until is None or clock < self.probe_until:
            return self
        return self._now(State.OPEN, self.failures + 1, now, f"the probe {self.probe or 'that was asked for'} was lost")

    def ask_probe(self, batch: str | None, now: datetime, until: datetime, cause: str) -> Breaker:
        """Half open by hand: one batch, or the next that comes, is the probe. A closed breaker stays closed."""
        if self.state is State.CLOSED:
            return self
        asked = self._now(State.HALF_OPEN, self.failures, now, cause)
        return replace(asked, probe=batch, probe_until=until if batch is not None else None)

    def trip(self, now: datetime, cause: str) -> Breaker:
        """Opened by a person, whatever it was before; what was allowed is over, and it waits for a person."""
        return Breaker(State.OPEN, self.failures, now, cause, tripped=True)

    def close(self, now: datetime, cause: str) -> Breaker:
        """Closed by a person; what was allowed while it was not is over."""
        if self.state is State.CLOSED:
            return replace(self, override=None)
        return Breaker(State.CLOSED, 0, now, cause)

    def _now(self, state: State, failures: int, now: datetime, cause: str) -> Breaker:
        """In another state, and not closed: what was allowed goes on, and so does the wait for a person."""
        return Breaker(state, failures, now, cause, override=self.override, tripped=self.tripped)

    def _after_probe(self, batch: str, now: datetime, *, critical: bool) -> tuple[Breaker, Decision]:
        if critical:
            return self._now(State.OPEN, self.failures + 1, now, batch), Decision.QUARANTINE
        return Breaker(State.CLOSED, 0, now, batch), Decision.PUBLISH
