"""The gate: one batch's way from its arrival to published, quarantined or held."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import MonitorError, StoreError, UsageError
from tidegate_contracts.load import load_contract
from tidegate_contracts.severity import Severity
from tidegate_flows import intake, log_context
from tidegate_flows.deciding import commit
from tidegate_flows.held import release_due
from tidegate_flows.intake import Staged
from tidegate_flows.ledger import batches, counters, runs
from tidegate_flows.ledger.batches import Busy, Claim, Decided, Revision
from tidegate_flows.passage import Hand, look, stored
from tidegate_flows.place import Place, at
from tidegate_flows.recover import recover
from tidegate_flows.rejudge import BusyError, judge_again
from tidegate_flows.signals import ask_upstream
from tidegate_flows.signature import THE_GATE, require_signature
from tidegate_flows.stopwatch import Stopwatch
from tidegate_flows.witness import witnessed
from tidegate_monitors.breaker import Decision
from tidegate_monitors.run import Run

_BUSY_SECONDS = 0.05  # between two looks at whether another worker is done


def gate(
    batch: Any,
    contract: Contract | str | Path,
    *,
    store: str | Path | None = None,
    ledger: str | None = None,
    batch_id: str | None = None,
    as_of: datetime | str | None = None,
    supersede: bool = False,
    by: str | None = None,
    reason: str | None = None,
) -> Run:
    """Take one batch through the gate: check, compare, decide, record, then publish, quarantine or hold.

    The same id with the same bytes gives the stored run and does nothing else.

    Args:
        batch: A path, or a pandas, polars or pyarrow table.
        contract: A contract, or ``path.py[:name]``.
        store: The folder that holds everything; None for the settings in force.
        ledger: The ledger's URL; None for the settings in force.
        batch_id: The batch's identity; by default the file's name without suffixes, or a frame's content hash.
        as_of: The batch's time for the breaker: a time, ``"window"`` for the end of its own window, None for now.
        supersede: Whether other bytes under a known id are a new revision of that batch: if they pass they are
            published in place of what was. Without it they are ``rewritten_history``.
        by: Who says so; goes with ``supersede``.
        reason: Why; goes with ``supersede``.

    Returns:
        The run. A run that is ignored must not read as a pass: call :meth:`Run.require_published`.

    Raises:
        ContractError: The contract is wrong.
        UsageError: There is no such batch, or none to supersede, or an alarm budget was promised and no reference is
            approved, or the contract waits for upstream signals and a frame has no folder to look for them in.
        StoreError: The store or ledger, or a table or list that the contract refers to, cannot be used; nothing was
            published.
        MonitorError: A check or statistic raised, and the contract says ``on_monitor_error="halt"``; nothing was
            published.
    """
    loaded, revision = load_contract(contract), signed_revision(supersede, by, reason)
    with at(store, ledger=ledger) as place:
        return gate_at(place, batch, loaded, batch_id=batch_id, as_of=as_of, revision=revision)


def gate_at(
    place: Place,
    delivery: Any,
    contract: Contract,
    *,
    batch_id: str | None = None,
    as_of: datetime | str | None = None,
    revision: Revision | None = None,
) -> Run:
    """:func:`gate` at a place that is already open; ``revision`` says who has other bytes supersede what was."""
    watch = Stopwatch()
    with witnessed(place, contract, delivery, watch) as witness:
        return witness.saw(_through(place, delivery, contract, batch_id, as_of, revision, watch))


def _through(
    place: Place,
    delivery: Any,
    contract: Contract,
    batch_id: str | None,
    as_of: datetime | str | None,
    revision: Revision | None,
    watch: Stopwatch,
) -> Run:
    with watch.aside():
        recover(place, contract.name)
    with place.store.workspace() as folder:
        staged = intake.stage(delivery, folder, name=batch_id, keep_index=contract.has_index)
        watch.over("stage")
        log_context.bind(batch=staged.id)
        with watch.aside():  # others may be at it
            claim = _claim(place, contract.name, staged, revision)
        if isinstance(claim, Decided):
            recover(place, contract.name)  # whoever decided may not have moved its files yet
            run = stored(place, claim.run, frame=staged.frame)
            return _awaited(place, contract, run, delivery, as_of) or replace(run, repeated=True)
        with _held(place, claim, contract):
            if claim.revises is not None:
                recover(place, contract.name)  # what it may supersede must be in its place
            answers = ask_upstream(contract, delivery, staged.id)
            seen = look(place, staged, contract, as_of=as_of, watch=watch, upstream=answers)
            with watch.aside():
                release_due(place, contract, seen.received)
            run = commit(place, claim, seen, contract)
    waits = run.decision is Decision.HOLD or claim.revises is not None
    return _as_it_stands(place, contract, run, seen.received) if waits else run


def _as_it_stands(place: Place, contract: Contract, run: Run, now: datetime) -> Run:
    """A batch that was held, as it is now: who closed the breaker before its file was in place could not release it."""
    release_due(place, contract, now)
    with place.ledger.read() as connection:
        row = runs.speaking_for_bytes_of(connection, run.id)
    return stored(place, row.run, frame=run.frame) if row is not None else run


def signed_revision(supersede: bool, by: str | None, reason: str | None) -> Revision | None:
    """Who has a delivery supersede what was delivered before under its id; None where nobody does.

    Raises:
        UsageError: Somebody does and does not sign, or signs and does not say so.
    """
    if not supersede:
        if by is not None or reason is not None:
            raise UsageError("a signature without --supersede", allowed="--supersede --by WHO --reason WHY, or none")
        return None
    require_signature(by or "", reason or "")
    return Revision(by or "", reason or "")


def _awaited(place: Place, contract: Contract, run: Run, delivery: Any, as_of: datetime | str | None) -> Run | None:
    """The batch judged anew if it was refused only because its upstream was not ready, and it is now; else None.

    If another worker is at it, its verdict is waited for and given.
    """
    criticals = {item.check for item in run.findings if item.severity is Severity.CRITICAL}
    if run.decision is not Decision.QUARANTINE or criticals != {"incomplete_upstream"}:
        return None
    hand = Hand(THE_GATE, "what it depends on is ready")
    answers = ask_upstream(contract, delivery, run.batch)
    if any(isinstance(answer, str) for answer in answers.values()):
        return None
    while True:
        with place.ledger.read() as connection:
            row = runs.speaking_for_bytes_of(connection, run.id)
        if row is None or row.discarded:
            return None
        if row.run != run.id:  # whoever was at it has judged it anew
            recover(place, contract.name)
            return replace(stored(place, row.run, frame=run.frame), repeated=True)
        try:
            return judge_again(place, contract, row, as_of or place.clock(), hand, upstream=answers)
        except BusyError:
            place.sleep(_BUSY_SECONDS)


def _claim(place: Place, dataset: str, staged: Staged, revision: Revision | None) -> Claim | Decided:
    """Claim the batch, waiting for another worker who is at it."""
    while True:
        with place.ledger.begin() as connection:
            answer = batches.claim(
                connection,
                dataset,
                staged.id,
                staged.source.sha256,
                now=place.seconds,
                lease=place.lease_for(connection, dataset),
                revision=revision,
            )
        if not isinstance(answer, Busy):
            return answer
        place.sleep(min(answer.seconds, _BUSY_SECONDS))


@contextmanager
def _held(place: Place, claim: Claim, contract: Contract) -> Iterator[None]:
    """Let go of the claim if there is no verdict, and count our own failures."""
    try:
        yield
    except BaseException as error:
        with suppress(StoreError), place.ledger.begin() as connection:  # a ledger that is down leaves it to the lease
            batches.give_up(connection, claim)
            if isinstance(error, MonitorError):
                counters.bump(connection, "monitor_errors_total", contract.name, monitor="gate")
        raise
