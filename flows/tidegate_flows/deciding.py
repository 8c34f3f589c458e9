"""One batch's decision: taken, written down, and only then carried out."""

from __future__ import annotations

import logging
from uuid import uuid4

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import MonitorError, TidegateError
from tidegate_contracts.severity import Severity
from tidegate_flows import chronicle, log_context
from tidegate_flows.ledger import batches, breakers, contracts, memory, runs
from tidegate_flows.ledger.batches import Claim
from tidegate_flows.ledger.runs import Recorded
from tidegate_flows.passage import Hand, Seen, lets_pass, stored
from tidegate_flows.place import Place
from tidegate_flows.publish import moves_for, prepare
from tidegate_flows.recover import recover
from tidegate_flows.remembered import remembered
from tidegate_flows.revising import Target, supersede, target_of
from tidegate_flows.ruling import Case, Ruling, rule
from tidegate_flows.stepping import stepped
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.breaker import Decision
from tidegate_monitors.run import SILENT, Rows, Run, key_beside
from tidegate_monitors.verdict import Verdict, decide

logger = logging.getLogger("tidegate.gate")


def commit(place: Place, claim: Claim, seen: Seen, contract: Contract, *, hand: Hand | None = None) -> Run:
    """Decide, write the run down, and only then move files.

    Raises:
        StoreError: The ledger or store refused, or another worker has taken the batch over.
        MonitorError: A check or statistic raised, and the contract lets no batch pass then. Nor is what was refused
            ever replayed so, or what was judged superseded.
    """
    replayed = hand is not None and not hand.steps
    strict = not lets_pass(contract) or replayed or (claim.revises is not None and not contract.shadow)
    if seen.failure is not None and strict:
        raise seen.failure
    try:
        return _commit(place, claim, seen, contract, hand)
    except MonitorError as error:
        if strict or seen.failure is not None or seen.batch is None:
            raise
        return _commit(place, claim, seen.unanswered(error), contract, hand)


def _commit(place: Place, claim: Claim, seen: Seen, contract: Contract, hand: Hand | None) -> Run:
    staged, steps = seen.staged, hand is None or hand.steps
    whole = seen.failure is not None or (contract.shadow and steps)
    checked = seen.observation.checked
    prepared = prepare(staged.path.parent, staged.path, staged.source, seen.batch, checked, whole=whole)
    recover(place, contract.name)  # what was decided on this batch before our claim must lie where it makes way from
    with place.ledger.begin() as connection:
        breaker, clock = breakers.load(connection, contract.name), place.clock()  # one time for all that is decided
        verdict, others = _verdict(connection, place, claim, seen, contract, hand)
        case = Case(claim.batch, seen.received, verdict.passed, seen.batch is not None, seen.failure is None, steps)
        ruling = rule(breaker, case, contract, clock)
        target = target_of(connection, claim, ruling.decision)
        seen.watch.over("commit")
        run = _run(target, seen, contract, verdict, ruling, whole=whole)
        log_context.bind(run=run.id)
        moves, published = moves_for(prepared, run, staged.source, target, place.store)
        accepted = steps and verdict.passed and seen.profile is not None and not ruling.overridden
        recorded = Recorded(
            run,
            target.key,
            staged.source,
            seen.profile,
            verdict.comparisons,
            moves,
            published,
            clock.timestamp(),
            arrival=hand is None,
            accepted=accepted and not seen.observation.ruled_out and not _came_before(others),
            stood=target.stood,
            failed=int(seen.observation.checked.failed.sum()),
        )
        batches.settle(connection, claim, run.id, target.key)
        runs.add(connection, recorded)
        breakers.save(connection, contract.name, ruling.after)
        contracts.save(connection, contract)
        unanswered = seen.failure is not None
        chronicle.count(connection, run, seen.watch.seconds, again=hand is not None, unanswered=unanswered)
        _tell(connection, run, claim, target, _signed(hand, claim, ruling), ruling)
    recover(place, contract.name)
    logger.info("%s/%s: %s, breaker %s", run.dataset, run.batch, run.decision.value, run.state.value)
    return stored(place, run.id, frame=staged.frame)


def _verdict(
    connection: Connection, place: Place, claim: Claim, seen: Seen, contract: Contract, hand: Hand | None
) -> tuple[Verdict, tuple[Alarm, ...]]:
    """The verdict with what came before in mind, and the alarms that only memory gives.

    Raises:
        MonitorError: A monitor raised.
    """
    try:
        told = remembered(
            connection, contract, claim, seen.staged, seen.observation.checked, seen.profile, seen.reference
        )
        if seen.failure is not None:
            return decide(seen.observation, {}, contract, (*told, _silent(seen.failure))), told
        others = (*told, *seen.echoes)
        return _with_memory(connection, place, claim, seen, contract, hand, others), others
    except (TidegateError, SQLAlchemyError):
        raise
    except Exception as error:  # its words may hold values
        raise MonitorError("what earlier batches say could not be asked", found=type(error).__name__) from error


def _with_memory(
    connection: Connection,
    place: Place,
    claim: Claim,
    seen: Seen,
    contract: Contract,
    hand: Hand | None,
    others: tuple[Alarm, ...],
) -> Verdict:
    batch, observation = seen.batch, seen.observation
    previous = memory.previous_places(connection, contract.name, claim.id)
    calm = not observation.critical and not any(alarm.severity is Severity.CRITICAL for alarm in others)
    slow = stepped(
        connection,
        contract,
        seen.reference,
        observation.levels,
        claim.batch,
        batch.window if batch is not None else None,
        now=place.seconds,
        steps=calm and batch is not None and _unseen(connection, claim, hand),
    )
    return decide(observation, previous, contract, others, slow=slow, batch=claim.batch)


def _silent(failure: MonitorError) -> Alarm:
    """That nothing is known of a batch, and why: a warning whatever the contract says, which lets it pass."""
    found = f" ({failure.found})" if failure.found is not None else ""
    return Alarm(SILENT, Severity.WARNING, f"the batch was not judged: {failure.what}{found}")


def _signed(hand: Hand | None, claim: Claim, ruling: Ruling) -> Hand | None:
    """Who stands for a decision: whoever asked for it and said why, else whoever overrode the breaker it passes."""
    override = ruling.after.override
    event = hand.event if hand is not None else "published"
    if hand is not None and hand.reason is not None:
        return hand
    if ruling.overridden and override is not None:
        return Hand(override.by, override.reason, event)
    if hand is None and claim.revises is not None and ruling.decision is Decision.PUBLISH:
        return Hand(claim.revises.by, claim.revises.reason, event)
    return hand


def _tell(connection: Connection, run: Run, claim: Claim, target: Target, hand: Hand | None, ruling: Ruling) -> None:
    """Put what was superseded into the audit, and then what was decided."""
    supersede(connection, claim, target, run)
    if hand is None:
        chronicle.tell(connection, run, run.at, ruling.breakers)
    else:
        chronicle.tell(connection, run, run.at, ruling.breakers, by=hand.by, reason=hand.reason, event=hand.event)


def _unseen(connection: Connection, claim: Claim, hand: Hand | None) -> bool:
    """Whether the stream has not seen a batch yet: it comes now, or was refused when it came and is judged anew."""
    if claim.revises is not None and not _would_have_been_refused(connection, claim):
        return False  # it has seen the window
    if hand is None:
        return True
    before = runs.speaking_for(connection, claim.dataset, claim.batch)
    return hand.steps and before is not None and before.decision == Decision.QUARANTINE.value


def _would_have_been_refused(connection: Connection, claim: Claim) -> bool:
    """Whether what a revision supersedes was published by the contract's shadow alone, so that no stream saw it."""
    standing = runs.speaking_for(connection, claim.dataset, claim.id)
    return standing is not None and standing.would == Decision.QUARANTINE.value


def _came_before(others: tuple[Alarm, ...]) -> bool:
    return any(alarm.check in ("redelivered_batch", "rewritten_history") for alarm in others)


def _run(target: Target, seen: Seen, contract: Contract, verdict: Verdict, ruling: Ruling, *, whole: bool) -> Run:
    aside = 0 if whole else verdict.set_aside
    counts = {
        Decision.PUBLISH: Rows(verdict.rows, published=verdict.rows - aside, quarantined=aside),
        Decision.QUARANTINE: Rows(verdict.rows, quarantined=verdict.rows),
        Decision.HOLD: Rows(verdict.rows, held=verdict.rows),
    }[ruling.decision]
    return Run(
        id=str(uuid4()),
        dataset=contract.name,
        batch=target.key.partition("~")[0],
        contract_version=contract.version,
        contract_sha256=contract.sha256,
        decision=ruling.decision,
        state=ruling.after.state,
        verified=seen.failure is None,
        counts=counts,
        findings=verdict.findings,
        reference=seen.reference.sha256 if seen.reference else None,
        at=seen.received,
        window=seen.batch.window if seen.batch else None,
        casts=verdict.casts,
        coerced=verdict.coerced,
        seconds=seen.watch.total,
        would=ruling.would,
        revision=target.revision,
        key=key_beside(target.key),
    )
