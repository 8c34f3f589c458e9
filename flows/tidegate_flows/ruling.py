"""What becomes of a batch, and of the breaker: the one place where a verdict turns into a decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tidegate_contracts.contract import Contract
from tidegate_monitors.breaker import Breaker, Decision, Policy

HALT = "halt"
"""What would have become of a batch of which there would have been no verdict."""


@dataclass(frozen=True, slots=True)
class Case:
    """A batch that is to be decided on.

    Attributes:
        batch: The ledger's key of it.
        received: Its time for the breaker.
        passed: Whether nothing critical was found.
        readable: Whether there are rows.
        verified: Whether every monitor gave its answer.
        steps: Whether it moves the breaker; a replay is no arrival and moves nothing, and shadow is for arrivals.
    """

    batch: str
    received: datetime
    passed: bool
    readable: bool
    verified: bool
    steps: bool


@dataclass(frozen=True, slots=True)
class Ruling:
    """A decision.

    Attributes:
        decision: What becomes of the batch.
        breakers: The breaker as it was kept, as the batch found it, as it admitted the batch, and after it.
        overridden: Whether it passes because somebody overrode the breaker.
        would: What would have become of it without the contract's shadow; None without one.
    """

    decision: Decision
    breakers: tuple[Breaker, Breaker, Breaker, Breaker]
    overridden: bool = False
    would: str | None = None

    @property
    def after(self) -> Breaker:
        """The breaker after it."""
        return self.breakers[-1]


def rule(breaker: Breaker, case: Case, contract: Contract, clock: datetime) -> Ruling:
    """Decide on a batch.

    In shadow the breaker stays as it is, whatever is found, so that it is closed when the shadow ends, and every
    readable batch is published; one that cannot be read has no rows that anybody could be given.
    """
    plain = _rule(breaker, case, contract, clock)
    if not (contract.shadow and case.steps):
        return plain
    silent = not case.verified and contract.on_monitor_error == "halt"
    found = plain.breakers[1]
    return Ruling(
        Decision.PUBLISH if case.readable else Decision.QUARANTINE,
        (breaker, found, found, found),
        would=HALT if silent else plain.decision.value,
    )


def _rule(breaker: Breaker, case: Case, contract: Contract, clock: datetime) -> Ruling:
    policy = Policy(contract.failure_threshold, contract.cool_down)
    found = breaker.lost(clock, case.received)
    if case.passed and not (case.verified and case.steps):  # neither is a probe, even where one is waited for
        admitted = after = found
        decision = found.without_verdict()
    else:
        admitted = found.admit(case.batch, case.received, policy) if case.steps else found
        after, decision = admitted.step(case.batch, case.received, policy, critical=not case.passed)
        after = after if case.steps else found
    overridden = after.overridden(decision, clock)
    decision = Decision.PUBLISH if overridden else decision
    return Ruling(decision, (breaker, found, admitted, after), overridden)
