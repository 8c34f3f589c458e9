"""The gate as Prefect flows. The verdict is ours; Prefect schedules, retries and shows.

A halt is :class:`tidegate.Halted` raised inside; the flow turns it into the state ``Failed`` named ``Halted``, which
stops sync and async parents. With ``return_state=True``, or an un-awaited submission, a parent goes on: so a consumer
also calls :func:`tidegate.require_closed` first.

Beside the verdict each flow tells Prefect's server what happened: events (:mod:`tidegate_flows.prefect_events`) and
artifacts (:mod:`tidegate_flows.prefect_artifacts`), while it holds the dataset's slot
(:mod:`tidegate_flows.prefect_slot`). All of that may fail, and changes no verdict.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prefect import Task, flow, task
from prefect.client.schemas.objects import State
from prefect.states import Failed

from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import Halted, TidegateError, UsageError
from tidegate_contracts.load import load_contract
from tidegate_flows import reference
from tidegate_flows.breaker_now import breaker_now
from tidegate_flows.gate import gate_at, signed_revision
from tidegate_flows.labelling import label_at
from tidegate_flows.landing import deliveries
from tidegate_flows.ledger import breakers
from tidegate_flows.ledger.batches import Revision
from tidegate_flows.place import at
from tidegate_flows.prefect_artifacts import show_batches, show_run
from tidegate_flows.prefect_events import Announcer
from tidegate_flows.prefect_patience import Patience
from tidegate_flows.prefect_slot import slot
from tidegate_flows.schedule import Overdue
from tidegate_flows.watching import Refused, Waiting, Watcher
from tidegate_monitors.breaker import Decision
from tidegate_monitors.run import Run


@task(name="gate", retries=2, retry_delay_seconds=1, retry_condition_fn=lambda _task, _run, state: _is_passing(state))
def _gate(
    batch: str, contract: str, store: str | None, as_of: str | None, revision: Revision | None = None
) -> dict[str, Any]:
    with at(store) as place:
        run = gate_at(place, batch, load_contract(contract), as_of=as_of, revision=revision)
    return {**run.to_dict(), "files": [str(path) for path in run.files]}


@task(name="join-labels", retries=2, retry_delay_seconds=1, retry_condition_fn=lambda _t, _r, state: _is_passing(state))
def _join(labels: list[str], contract: str, store: str | None, as_of: str | None) -> dict[str, Any]:
    with at(store) as place:
        return label_at(place, labels, load_contract(contract), as_of=as_of).to_dict()


@task(name="watch", retries=2, retry_delay_seconds=1, retry_condition_fn=lambda _t, _r, state: _is_passing(state))
def _look(contract: str, place: str, store: str | None, settle: float) -> dict[str, Any]:
    loaded = load_contract(contract)
    found: list[Run | Refused | Waiting | Overdue] = []
    broken: list[str] = []
    with at(store) as where:
        try:
            for item in Watcher(where, loaded, place, settle, once=True).look():
                found.append(item)  # noqa: PERF402 - what came before an error stays
        except Exception as error:
            if not _stopped(found, loaded):
                raise
            # a look that is tried again would not tell again what was stopped; others' words may hold values
            broken = [str(error) if isinstance(error, TidegateError) else type(error).__name__]
    waiting = {item.name: item.why for item in found if isinstance(item, Waiting) and not item.overdue}
    runs = [item.to_dict() for item in found if isinstance(item, Run)]
    return {"runs": runs, "stopped": [*_stopped(found, loaded), *broken], "waiting": waiting}


def _stopped(found: Sequence[Run | Refused | Waiting | Overdue], contract: Contract) -> list[str]:
    """What somebody has to see to, in words."""
    runs = [item for item in found if isinstance(item, Run) and item.decision is not Decision.PUBLISH]
    told = [f"{run.batch}: {run.decision.value}" for run in runs]
    told += [f"{item.name}: {item.why}" for item in found if isinstance(item, Refused)]
    told += [f"{item.name}: {item.why}" for item in found if isinstance(item, Waiting) and item.overdue]
    return told + [item.alarm(contract).message for item in found if isinstance(item, Overdue)]


@task(name="build-reference", retries=2, retry_delay_seconds=1, retry_condition_fn=lambda _t, _r, s: _is_passing(s))
def _build(
    contract: str, batches: list[str], labels: list[str], store: str | None, signed: tuple[str, str] | None
) -> dict[str, Any]:
    loaded = load_contract(contract)
    with at(store) as place:
        built = reference.build(place, loaded, batches, labels)
        if signed is not None:
            reference.approve(place, loaded.name, built.sha256, by=signed[0], reason=signed[1])
    return {**reference.describe(built, loaded), "approved_by": signed[0] if signed else None}


def _is_passing(state: State[Any]) -> bool:
    """Whether trying again may help: the store may come back, a wrong contract will not mend itself."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, Exception) and getattr(error, "exit_code", 3) == 3


@flow(name="gate-batch", validate_parameters=True)
def gate_batch(
    contract: str,
    batch: str,
    store: str | None = None,
    as_of: str | None = None,
    supersede: bool = False,
    by: str | None = None,
    reason: str | None = None,
) -> Any:
    """Take one batch through the gate; ends ``Failed`` named ``Halted`` unless it was published.

    Args:
        contract: ``path.py[:name]``.
        batch: The path of a file.
        store: The folder that holds everything; None for the settings in force.
        as_of: The batch's time for the breaker; see :func:`tidegate.gate`.
        supersede: Whether other bytes under a known id are a new revision of that batch, once they pass.
        by: Who says so; needed with ``supersede``.
        reason: Why; needed with ``supersede``.

    Raises:
        UsageError: ``supersede`` without a signature, or a signature without it.
    """
    revision = signed_revision(supersede, by, reason)
    with _beside(contract, store) as (patience, _):
        document = _do(_gate, patience, batch, contract, store, as_of, revision)
        run = Run.from_dict(document, files=tuple(Path(path) for path in document["files"]))
        show_run(run, store, patience)
    try:
        run.require_published()
    except Halted as halted:
        return Failed(name="Halted", message=str(halted))
    return run.to_dict()


@flow(name="gate-backlog", validate_parameters=True)
def gate_backlog(
    contract: str, batches: str, store: str | None = None, as_of: str | None = "window", limit: int | None = None
) -> Any:
    """Take a folder's batches through the gate in the order of their names, going on after a stop.

    Ends ``Failed`` named ``Halted`` if the breaker lets nothing pass at its end. Batches that are known already are not
    judged again.

    Args:
        contract: ``path.py[:name]``.
        batches: A folder of batch files.
        store: The folder that holds everything; None for the settings in force.
        as_of: The batches' time for the breaker, by default the end of each one's window.
        limit: At most so many batches, the first ones; None for all.
    """
    decisions = dict.fromkeys((decision.value for decision in Decision), 0)
    documents = []
    with _beside(contract, store) as (patience, announcer):
        try:
            for path in deliveries(Path(batches))[:limit]:
                patience.renew()
                documents.append(_do(_gate, patience, str(path), contract, store, as_of))
                decisions[documents[-1]["decision"]] += 1
                announcer.announce()
        finally:
            show_batches(announcer.dataset, documents, patience)
    dataset = announcer.dataset
    with at(store) as place, place.ledger.read() as connection:
        clock = place.clock()
        breaker = breaker_now(breakers.load(connection, dataset), clock)
        why = breakers.why(connection, dataset, breaker)
    if not breaker.lets_pass(clock):
        return Failed(name="Halted", message=f"the breaker of {dataset!r} is {breaker.state.value}: {why}")
    return decisions


@flow(name="join-labels", validate_parameters=True)
def join_labels(contract: str, labels: str, store: str | None = None, as_of: str | None = None) -> Any:
    """Join a file of labels, or a folder of them in the order of their names, and judge what they speak of.

    Ends ``Failed`` named ``Halted`` if labels were refused, or the contract calls what they say critical.

    Args:
        contract: ``path.py[:name]``.
        labels: A file, or a folder of files.
        store: The folder that holds everything; None for the settings in force.
        as_of: When the labels came; None for now.
    """
    with _beside(contract, store) as (patience, _):
        document = _do(_join, patience, _files(labels), contract, store, as_of)
    worst = next((item for item in document["findings"] if item["severity"] == "critical"), None)
    if worst is not None:
        return Failed(name="Halted", message=f"{worst['check']}: {worst['message']}")
    return document


@flow(name="watch-arrivals", validate_parameters=True)
def watch_arrivals(contract: str, place: str, store: str | None = None, settle: float = 5.0) -> Any:
    """Take what has landed in a folder or bucket, in order, each batch once; for a schedule: one look a run.

    Ends ``Failed`` named ``Halted`` if a batch was stopped, could not be taken or has waited for too long, or if one
    that was due has not come. What waits for the next look is in the flow's result.

    Args:
        contract: ``path.py[:name]``.
        place: A folder or URL.
        store: The folder that holds everything; None for the settings in force.
        settle: Seconds for which a file must not have changed.
    """
    with _beside(contract, store) as (patience, announcer):
        seen = _do(_look, patience, contract, place, store, settle)
        show_batches(announcer.dataset, seen["runs"], patience)
    if seen["stopped"]:
        return Failed(name="Halted", message="; ".join(seen["stopped"]))
    return {"batches": {item["batch"]: item["decision"] for item in seen["runs"]}, "waiting": seen["waiting"]}


@flow(name="build-reference", validate_parameters=True)
def build_reference(
    contract: str,
    batches: str | list[str],
    store: str | None = None,
    labels: str | list[str] | None = None,
    approve_by: str | None = None,
    reason: str | None = None,
) -> Any:
    """Build a reference from batches, one block each; what it can and cannot see is the flow's result.

    Args:
        contract: ``path.py[:name]``.
        batches: A folder of batch files, or files and ids of published batches, one by one.
        store: The folder that holds everything; None for the settings in force.
        labels: Labels of these batches, if they come apart: a folder or files.
        approve_by: Who puts it in force at once; None leaves that for later.
        reason: Why; goes with ``approve_by``.

    Raises:
        UsageError: A batch is not there or breaks the contract, or only one of ``approve_by`` and ``reason`` is given.
    """
    said = [word for word in (approve_by, reason) if word is not None and word.strip()]
    if len(said) == 1 or (not said and (approve_by, reason) != (None, None)):
        raise UsageError("an approval names who and why", allowed="approve_by and reason, both or none")
    signed = (said[0], said[1]) if said else None
    with _beside(contract, store) as (patience, _):
        return _do(_build, patience, contract, _files(batches), _files(labels), store, signed)


@contextmanager
def _beside(contract: str, store: str | None) -> Iterator[tuple[Patience, Announcer]]:
    """What goes on beside the work: the dataset's slot is held, and what the audit says since is told at the end."""
    dataset, patience = load_contract(contract).name, Patience()
    with slot(dataset, patience):
        announcer = Announcer(dataset, store, patience)
        try:
            yield patience, announcer
        finally:
            announcer.announce()


def _do(work: Task[..., dict[str, Any]], patience: Patience, *arguments: Any) -> dict[str, Any]:
    """Do a task's work as a task where Prefect's server answers, and without it where it does not.

    A task cannot begin without the server. What it does is the same the second time: the ledger knows what is decided.
    """
    if patience.lost:
        return work.fn(*arguments)
    try:
        return work(*arguments)
    except TidegateError:
        raise
    except Exception:
        if patience.reaches():
            raise
        return work.fn(*arguments)


def _files(named: str | list[str] | None) -> list[str]:
    """The files that are named, or that lie in the folder that is."""
    if named is None:
        return []
    if isinstance(named, str) and Path(named).is_dir():
        return [str(path) for path in deliveries(Path(named))]
    return [named] if isinstance(named, str) else named
