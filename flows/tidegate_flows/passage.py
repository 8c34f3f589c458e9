"""One batch's passage: looked into, decided on, written down, and only then moved."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from time import perf_counter
from uuid import uuid4

import numpy as np
from sqlalchemy import Connection

from tidegate_contracts.batch import Batch
from tidegate_contracts.check import Checked, check
from tidegate_contracts.circumstances import NOTHING_KNOWN, Circumstances
from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import MonitorError, TidegateError, UsageError
from tidegate_contracts.reasons import SCHEMA
from tidegate_contracts.severity import Severity
from tidegate_contracts.violation import Violation
from tidegate_flows import intake
from tidegate_flows.circumstances import NOBODY, Answers, gather
from tidegate_flows.feedback import feedback
from tidegate_flows.intake import Staged, UnreadableError
from tidegate_flows.latest import latest
from tidegate_flows.ledger import audit, batches, breakers, contracts, counters, runs
from tidegate_flows.ledger.batches import Claim
from tidegate_flows.ledger.runs import Recorded
from tidegate_flows.place import Place
from tidegate_flows.publish import moves_for, prepare
from tidegate_flows.recover import recover
from tidegate_flows.reference import approved
from tidegate_flows.remembered import remembered
from tidegate_flows.stepping import stepped
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.breaker import Breaker, Decision, Policy, State
from tidegate_monitors.layout import Layout
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Reference
from tidegate_monitors.run import Rows, Run
from tidegate_monitors.verdict import Observation, Verdict, decide, observe

logger = logging.getLogger("tidegate.gate")

DURATION_BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


@dataclass(frozen=True, slots=True)
class Seen:
    """A delivery that was looked into.

    Attributes:
        staged: The delivery.
        batch: Its rows; None if it was unreadable.
        observation: What was seen.
        reference: What it was held against.
        received: When it arrived, for the breaker.
        started: When the work on it began, by the performance counter.
        echoes: Features that are the model's own earlier predictions.
    """

    staged: Staged
    batch: Batch | None
    observation: Observation
    reference: Reference | None
    received: datetime
    started: float
    echoes: tuple[Alarm, ...] = ()


def look(
    place: Place,
    staged: Staged,
    contract: Contract,
    *,
    as_of: datetime | str | None,
    started: float,
    upstream: Answers = NOBODY,
    came: datetime | None = None,
) -> Seen:
    """Decode, check, profile and compare a staged delivery.

    Args:
        place: Where it is judged.
        staged: The delivery.
        contract: What was promised.
        as_of: The batch's time for the breaker.
        started: When the work on it began, by the performance counter.
        upstream: What the delivery depends on, as it was when it came.
        came: When it came, if it is judged again: nothing grows stale or late by waiting here.

    Raises:
        StoreError: What the contract refers to cannot be read.
        UsageError: The contract promises a false-alarm rate and no reference is approved.
        MonitorError: A check or statistic raised.
    """
    arrived = place.clock()
    reference = approved(place, contract)
    if reference is None and contract.alarm_budget is not None:
        raise UsageError(
            f"no approved reference of {contract.name!r}, and its contract states an alarm budget",
            found=f"store {place.store.root}",
            allowed="a reference that somebody approved",
            hint="tidegate reference build CONTRACT BATCH… --approve --by WHO --reason WHY",
        )
    try:
        batch = intake.decode(staged, contract)
    except UnreadableError as error:
        observation = unreadable(str(error))
        if as_of == "window":  # it has none: the breaker's time stands still
            with place.ledger.read() as connection:
                last = runs.latest(connection, contract.name)
            as_of = last.received_at if last is not None else None
        return Seen(staged, None, observation, reference, intake.as_of(as_of, None, arrived), started)
    received = intake.as_of(as_of, batch, arrived)
    then = came or received
    known = gather(contract, now=then, arrived=then, upstream=upstream, delivered=batch.rows)
    end = batch.window.end if batch.window else received
    newer = latest(place, contract, reference, end) if reference is not None else None
    observation = observed(batch, contract, reference, known, newer)
    return Seen(staged, batch, observation, reference, received, started, feedback(place, batch, contract))


def observed(
    batch: Batch,
    contract: Contract,
    reference: Reference | None,
    circumstances: Circumstances = NOTHING_KNOWN,
    newer: Reference | None = None,
) -> Observation:
    """What the contract, the reference and the blocks accepted last (``newer``) say of a batch.

    Raises:
        MonitorError: A check or statistic raised.
    """
    try:
        checked = check(batch, contract, circumstances)
        profile = Profile.of(checked.table, reference.layout if reference else Layout.plain(contract))
    except TidegateError:
        raise
    except Exception as error:  # whatever a check does, it is our failure and never a pass; its words may hold values
        raise MonitorError("a check raised", found=type(error).__name__) from error
    return observe(checked, profile, reference, contract, seeded(batch, reference), batch.window, newer)


def seeded(batch: Batch, reference: Reference | None) -> np.random.Generator:
    """The generator for one batch against one reference: the same two always draw the same."""
    text = batch.source.sha256 + (reference.sha256 if reference else "")
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))


def unreadable(why: str) -> Observation:
    """The observation of bytes that are not what their name says."""
    violation = Violation("unreadable", "a readable file of its declared format", Severity.CRITICAL, why)
    checked = Checked(0, (violation,), np.zeros(0, dtype=bool), SCHEMA.empty_table())
    return Observation(checked, Profile.empty(Layout({})), (), ())


@dataclass(frozen=True, slots=True)
class Hand:
    """Somebody who has a batch judged again.

    Attributes:
        by: Who.
        reason: Why; None where the breaker itself asks.
        event: What it is called in the audit if the batch passes: ``released`` or ``replayed``.
        steps: Whether the verdict moves the breaker; a replay is no arrival and moves nothing.
    """

    by: str
    reason: str | None = None
    event: str = "released"
    steps: bool = True


def commit(place: Place, claim: Claim, seen: Seen, contract: Contract, *, hand: Hand | None = None) -> Run:
    """Decide, write the run down, and only then move files.

    Raises:
        StoreError: The ledger or store refused, or another worker has taken the batch over.
    """
    staged = seen.staged
    checked = seen.observation.checked
    prepared = prepare(staged.path.parent, staged.path, staged.source, seen.batch, checked)
    with place.ledger.begin() as connection:
        breaker = breakers.load(connection, contract.name)
        profile = seen.observation.profile if seen.batch is not None else None
        verdict, others = _verdict(connection, place, claim, seen, contract, hand)
        policy = Policy(contract.failure_threshold, contract.cool_down)
        steps = hand is None or hand.steps
        found = breaker.lost(place.clock(), seen.received)
        admitted = found.admit(claim.batch, seen.received, policy) if steps else found
        after, decision = admitted.step(claim.batch, seen.received, policy, critical=not verdict.passed)
        after = after if steps else found
        overridden = after.overridden(decision, place.clock())
        decision = Decision.PUBLISH if overridden else decision
        run = _run(claim, seen, contract, verdict, after, decision)
        moves, published = moves_for(prepared, run, staged.source, claim.batch, place.store)
        recorded = Recorded(
            run,
            claim.batch,
            staged.source,
            profile,
            verdict.comparisons,
            moves,
            published,
            place.seconds,
            arrival=hand is None,
            accepted=steps
            and verdict.passed
            and not overridden
            and not seen.observation.ruled_out
            and not _came_before(others),
        )
        batches.settle(connection, claim, run.id)
        runs.add(connection, recorded)
        breakers.save(connection, contract.name, after)
        contracts.save(connection, contract)
        _count(connection, run, again=hand is not None)
        _tell(connection, run, seen.received, _signed(hand, after, overridden), (breaker, found, admitted, after))
    recover(place, contract.name)
    logger.info("%s/%s: %s, breaker %s", run.dataset, run.batch, run.decision.value, run.state.value)
    return stored(place, run.id, frame=staged.frame)


def _verdict(
    connection: Connection, place: Place, claim: Claim, seen: Seen, contract: Contract, hand: Hand | None
) -> tuple[Verdict, tuple[Alarm, ...]]:
    """The verdict with what came before in mind, and the alarms that only memory gives."""
    batch, observation = seen.batch, seen.observation
    profile = observation.profile if batch is not None else None
    told = remembered(connection, contract, claim, seen.staged, observation.checked, profile, seen.reference)
    others = (*told, *seen.echoes)
    previous = runs.previous_places(connection, contract.name, claim.batch)
    calm = not observation.critical and not any(alarm.severity is Severity.CRITICAL for alarm in others)
    slow = stepped(
        connection,
        contract,
        seen.reference,
        observation.levels,
        claim.batch,
        batch.window if batch is not None else None,
        now=place.seconds,
        steps=calm and batch is not None and _unseen(connection, contract.name, claim.batch, hand),
    )
    return decide(observation, previous, contract, others, slow=slow, batch=claim.batch), others


def _signed(hand: Hand | None, after: Breaker, overridden: bool) -> Hand | None:
    """Who stands for a decision: whoever asked for it and said why, else whoever overrode the breaker it passes."""
    if not overridden or after.override is None or (hand is not None and hand.reason is not None):
        return hand
    return Hand(after.override.by, after.override.reason, hand.event if hand is not None else "published")


def _unseen(connection: Connection, dataset: str, batch: str, hand: Hand | None) -> bool:
    """Whether the stream has not seen a batch yet: it comes now, or was refused when it came and is judged anew."""
    if hand is None:
        return True
    before = runs.speaking_for(connection, dataset, batch)
    return hand.steps and before is not None and before.decision == Decision.QUARANTINE.value


def _came_before(others: tuple[Alarm, ...]) -> bool:
    return any(alarm.check in ("redelivered_batch", "rewritten_history") for alarm in others)


def stored(place: Place, run: str, *, frame: str = "arrow") -> Run:
    """A run as the ledger has it."""
    with place.ledger.read() as connection:
        row = runs.get(connection, run)
    files = tuple(place.store.root / path for path in json.loads(row.files))
    return Run.from_dict(json.loads(row.document), files=files, frame=frame)


def _run(claim: Claim, seen: Seen, contract: Contract, verdict: Verdict, after: Breaker, decision: Decision) -> Run:
    aside = verdict.set_aside
    counts = {
        Decision.PUBLISH: Rows(verdict.rows, published=verdict.rows - aside, quarantined=aside),
        Decision.QUARANTINE: Rows(verdict.rows, quarantined=verdict.rows),
        Decision.HOLD: Rows(verdict.rows, held=verdict.rows),
    }[decision]
    return Run(
        id=str(uuid4()),
        dataset=contract.name,
        batch=claim.batch.partition("~")[0],
        contract_version=contract.version,
        contract_sha256=contract.sha256,
        decision=decision,
        state=after.state,
        verified=True,
        counts=counts,
        findings=verdict.findings,
        reference=seen.reference.sha256 if seen.reference else None,
        at=seen.received,
        window=seen.batch.window if seen.batch else None,
        casts=verdict.casts,
        coerced=verdict.coerced,
        seconds=perf_counter() - seen.started,
    )


def _count(connection: Connection, run: Run, *, again: bool) -> None:
    """Count the run; rows and duration only when the batch was first seen."""
    counters.bump(connection, "batches_total", run.dataset, decision=run.decision.value)
    if again:
        return
    counters.bump(connection, "rows_total", run.dataset, run.counts.delivered)
    counters.bump(connection, "rows_quarantined_total", run.dataset, run.counts.quarantined)
    for finding in run.findings:
        counters.bump(connection, "findings_total", run.dataset, check=finding.check, severity=finding.severity.value)
    bucket = next((str(limit) for limit in DURATION_BUCKETS if run.seconds <= limit), "+Inf")
    counters.bump(connection, "batch_duration_seconds_bucket", run.dataset, le=bucket)
    counters.bump(connection, "batch_duration_seconds_sum", run.dataset, run.seconds)


def _tell(
    connection: Connection,
    run: Run,
    at_: datetime,
    hand: Hand | None,
    breaker: tuple[Breaker, ...],
) -> None:
    """Put the decision and the breaker's changes, one after the other, into the audit."""
    word = {Decision.PUBLISH: "published", Decision.QUARANTINE: "quarantined", Decision.HOLD: "held"}[run.decision]
    if hand is not None and run.decision is Decision.PUBLISH:
        word = hand.event
    why = next((finding.check for finding in run.findings if finding.severity is Severity.CRITICAL), None)
    by, said = (hand.by, hand.reason or why) if hand is not None else (None, why)
    audit.append(connection, run.dataset, f"batch.{word}", at=at_, batch=run.batch, run=run.id, by=by, reason=said)
    for old, new in pairwise(breaker):
        if old.state is not new.state:
            reason = {
                State.OPEN: f"{why} in batch {run.batch}" if new is breaker[-1] and why else new.cause,
                State.HALF_OPEN: f"the cool-down is over; batch {run.batch} is the probe",
                State.CLOSED: f"batch {run.batch} passed as the probe",
            }[new.state]
            _tell_breaker(connection, run, new, at_, reason)


def _tell_breaker(connection: Connection, run: Run, breaker: Breaker, moment: datetime, reason: str | None) -> None:
    """Put one change of the breaker into the audit and the counters."""
    event = {State.OPEN: "opened", State.HALF_OPEN: "half_open", State.CLOSED: "closed"}[breaker.state]
    counters.bump(connection, "breaker_transitions_total", run.dataset, to=breaker.state.value)
    audit.append(connection, run.dataset, f"breaker.{event}", at=moment, batch=breaker.cause, run=run.id, reason=reason)
