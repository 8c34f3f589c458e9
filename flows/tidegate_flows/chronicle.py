"""What is told of a decision: the counters and the audit, in the transaction that decides."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise

from sqlalchemy import Connection

from tidegate_contracts.severity import Severity
from tidegate_flows.ledger import audit, counters
from tidegate_monitors.breaker import Breaker, Decision, State
from tidegate_monitors.metrics import DURATION_BOUNDS
from tidegate_monitors.run import Run

_WORDS = {Decision.PUBLISH: "published", Decision.QUARANTINE: "quarantined", Decision.HOLD: "held"}


def count(connection: Connection, run: Run, stages: Mapping[str, float], *, again: bool, unanswered: bool) -> None:
    """Count a run; rows, findings and times only when the batch was first seen.

    Args:
        connection: The transaction that decides.
        run: The run.
        stages: How long its stages took, seconds.
        again: Whether it was judged again.
        unanswered: Whether a monitor failed.
    """
    counters.bump(connection, "batches_total", run.dataset, decision=run.decision.value)
    if unanswered:
        counters.bump(connection, "monitor_errors_total", run.dataset, monitor="gate")
    if not run.verified and run.decision is Decision.PUBLISH:
        counters.bump(connection, "unverified_batches_total", run.dataset)
    if run.would is not None:
        counters.bump(connection, "shadow_batches_total", run.dataset, would=run.would)
    if again:
        return
    counters.bump(connection, "rows_total", run.dataset, run.counts.delivered)
    counters.bump(connection, "rows_quarantined_total", run.dataset, run.counts.quarantined)
    for finding in run.findings:
        counters.bump(connection, "findings_total", run.dataset, check=finding.check, severity=finding.severity.value)
    bucket = next((str(limit) for limit in DURATION_BOUNDS if run.seconds <= limit), "+Inf")
    counters.bump(connection, "batch_duration_seconds_bucket", run.dataset, le=bucket)
    counters.bump(connection, "batch_duration_seconds_sum", run.dataset, run.seconds)
    for stage, seconds in stages.items():
        counters.bump(connection, "stage_duration_seconds_sum", run.dataset, seconds, stage=stage)
        counters.bump(connection, "stage_duration_seconds_count", run.dataset, stage=stage)


def tell(
    connection: Connection,
    run: Run,
    moment: datetime,
    breaker: tuple[Breaker, ...],
    *,
    by: str | None = None,
    reason: str | None = None,
    event: str = "published",
) -> None:
    """Put the decision and the breaker's changes, one after the other, into the audit.

    Args:
        connection: The transaction that decides.
        run: The run.
        moment: The batch's time for the breaker.
        breaker: Its states from before to after.
        by: Who stands for it; None for nobody.
        reason: What they said; None for the worst finding.
        event: What it is called if it is published.
    """
    word = event if run.decision is Decision.PUBLISH else _WORDS[run.decision]
    why = next((finding.check for finding in run.findings if finding.severity is Severity.CRITICAL), None)
    said = run.caution or why if reason is None else f"{run.caution}; {reason}" if run.caution else reason
    audit.append(connection, run.dataset, f"batch.{word}", at=moment, batch=run.batch, run=run.id, by=by, reason=said)
    for number, (old, new) in enumerate(pairwise(breaker), start=2):
        if old.state is not new.state:
            stepped = number == len(breaker)  # only the last change is what the batch itself did
            text = {
                State.OPEN: f"{why} in batch {run.batch}" if stepped and why else new.cause,
                State.HALF_OPEN: f"the cool-down is over; batch {run.batch} is the probe",
                State.CLOSED: f"batch {run.batch} passed as the probe",
            }[new.state]
            lost = new.state is State.OPEN and not stepped
            _tell_breaker(connection, run, new, moment, text, batch=old.probe if lost else new.cause)


def _tell_breaker(
    connection: Connection, run: Run, breaker: Breaker, moment: datetime, reason: str | None, *, batch: str | None
) -> None:
    """Put one change of the breaker into the audit and the counters."""
    event = {State.OPEN: "opened", State.HALF_OPEN: "half_open", State.CLOSED: "closed"}[breaker.state]
    counters.bump(connection, "breaker_transitions_total", run.dataset, to=breaker.state.value)
    audit.append(connection, run.dataset, f"breaker.{event}", at=moment, batch=batch, run=run.id, reason=reason)
