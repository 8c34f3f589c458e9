"""The gate as Prefect flows. The verdict is ours; Prefect schedules, retries and shows.

A halt is :class:`tidegate.Halted` raised inside; the flow turns it into the state ``Failed`` named ``Halted``, which
stops sync and async parents. With ``return_state=True``, or an un-awaited submission, a parent goes on: so a consumer
also calls :func:`tidegate.require_closed` first.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.client.schemas.objects import State
from prefect.states import Failed

from tidegate_contracts.errors import Halted, UsageError
from tidegate_contracts.load import load_contract
from tidegate_flows.gate import gate_at
from tidegate_flows.intake import SUFFIXES, natural_id, suffix_of
from tidegate_flows.labelling import label_at
from tidegate_flows.ledger import breakers
from tidegate_flows.place import at
from tidegate_flows.schedule import Overdue
from tidegate_flows.watching import Refused, Watcher
from tidegate_monitors.breaker import Decision
from tidegate_monitors.breaker import State as BreakerState
from tidegate_monitors.run import Run


@task(name="gate", retries=2, retry_delay_seconds=1, retry_condition_fn=lambda _task, _run, state: _is_passing(state))
def _gate(batch: str, contract: str, store: str | None, as_of: str | None) -> dict[str, Any]:
    with at(store) as place:
        return gate_at(place, batch, load_contract(contract), as_of=as_of).to_dict()


@task(name="join-labels", retries=2, retry_delay_seconds=1, retry_condition_fn=lambda _t, _r, state: _is_passing(state))
def _join(labels: list[str], contract: str, store: str | None, as_of: str | None) -> dict[str, Any]:
    with at(store) as place:
        return label_at(place, labels, load_contract(contract), as_of=as_of).to_dict()


@task(name="watch", retries=2, retry_delay_seconds=1, retry_condition_fn=lambda _t, _r, state: _is_passing(state))
def _look(contract: str, place: str, store: str | None, settle: float) -> dict[str, Any]:
    loaded = load_contract(contract)
    with at(store) as where:
        found = list(Watcher(where, loaded, place, settle).look())
    taken = [item for item in found if isinstance(item, Run)]
    stopped = [f"{run.batch}: {run.decision.value}" for run in taken if run.decision is not Decision.PUBLISH]
    stopped += [f"{item.name}: {item.why}" for item in found if isinstance(item, Refused)]
    stopped += [item.alarm(loaded).message for item in found if isinstance(item, Overdue)]
    return {"batches": {run.batch: run.decision.value for run in taken}, "stopped": stopped}


def _is_passing(state: State[Any]) -> bool:
    """Whether trying again may help: the store may come back, a wrong contract will not mend itself."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, Exception) and getattr(error, "exit_code", 3) == 3


@flow(name="gate-batch", validate_parameters=True)
def gate_batch(contract: str, batch: str, store: str | None = None, as_of: str | None = None) -> Any:
    """Take one batch through the gate; ends ``Failed`` named ``Halted`` unless it was published.

    Args:
        contract: ``path.py[:name]``.
        batch: The path of a file.
        store: The folder that holds everything; None for the settings in force.
        as_of: The batch's time for the breaker; see :func:`tidegate.gate`.
    """
    run = Run.from_dict(_gate(batch, contract, store, as_of))
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

    Ends ``Failed`` named ``Halted`` if the breaker is open at its end; batches known already are not judged again.

    Args:
        contract: ``path.py[:name]``.
        batches: A folder of batch files.
        store: The folder that holds everything; None for the settings in force.
        as_of: The batches' time for the breaker, by default the end of each one's window.
        limit: At most so many batches, the first ones; None for all.
    """
    decisions = dict.fromkeys((decision.value for decision in Decision), 0)
    for path in deliveries(Path(batches))[:limit]:
        document = _gate(str(path), contract, store, as_of)
        decisions[document["decision"]] += 1
    dataset = load_contract(contract).name
    with at(store) as place, place.ledger.begin() as connection:
        breaker = breakers.load(connection, dataset)
    if breaker.state is not BreakerState.CLOSED:
        return Failed(name="Halted", message=f"the breaker of {dataset!r} is {breaker.state.value}: {breaker.cause}")
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
    path = Path(labels)
    files = deliveries(path) if path.is_dir() else [path]
    document = _join([str(item) for item in files], contract, store, as_of)
    worst = next((item for item in document["findings"] if item["severity"] == "critical"), None)
    if worst is not None:
        return Failed(name="Halted", message=f"{worst['check']}: {worst['message']}")
    return document


@flow(name="watch-arrivals", validate_parameters=True)
def watch_arrivals(contract: str, place: str, store: str | None = None, settle: float = 5.0) -> Any:
    """Take what has landed in a folder or bucket, in order, each batch once; for a schedule: one look a run.

    Ends ``Failed`` named ``Halted`` if a batch was stopped or could not be taken, or one that was due has not come.

    Args:
        contract: ``path.py[:name]``.
        place: A folder or URL.
        store: The folder that holds everything; None for the settings in force.
        settle: Seconds for which a file must not have changed.
    """
    told = _look(contract, place, store, settle)
    if told["stopped"]:
        return Failed(name="Halted", message="; ".join(told["stopped"]))
    return told


def deliveries(folder: Path) -> list[Path]:
    """The batch files in a folder, by name; hidden ones are somebody's unfinished business.

    Raises:
        UsageError: It is no folder.
    """
    if not folder.is_dir():
        raise UsageError("no folder of batches", found=str(folder))
    found = (path for path in folder.iterdir() if suffix_of(path) in SUFFIXES and not path.name.startswith("."))
    return sorted(found, key=natural_id)
