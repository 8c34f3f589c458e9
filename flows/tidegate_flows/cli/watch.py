"""``watch``."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from tidegate_contracts.errors import TidegateError
from tidegate_flows.cli import tables
from tidegate_flows.cli.exits import NO_VERDICT, PASSED, STOPPED, WRONG, say
from tidegate_flows.cli.options import ContractPath, Json, LedgerUrl, Store, emit, settings

if TYPE_CHECKING:
    from tidegate_contracts.contract import Contract
    from tidegate_flows.schedule import Overdue
    from tidegate_flows.watching import Refused, Waiting, Watcher
    from tidegate_monitors.run import Run

_LONGEST = 300.0
"""Seconds between two looks where the store or ledger cannot be used, unless ``--every`` says more."""


def watch(
    context: typer.Context,
    contract: ContractPath,
    place: Annotated[str, typer.Argument(metavar="DIR_OR_URL", help="Where batches land.")],
    once: Annotated[bool, typer.Option("--once", help="One look, then end with the worst exit code.")] = False,
    every: Annotated[float, typer.Option("--every", min=0.1, help="Seconds between two looks.")] = 10.0,
    settle: Annotated[
        float, typer.Option("--settle", min=0.0, help="Seconds for which a file must not have changed.")
    ] = 5.0,
    patience: Annotated[
        float,
        typer.Option(
            "--patience",
            min=0.0,
            help="Seconds for which a batch waits for what it depends on, and a folder for its _SUCCESS, "
            "while those behind it wait too.",
        ),
    ] = 600.0,
    store: Store = None,
    ledger: LedgerUrl = None,
    as_json: Json = False,
) -> None:
    """Take what lands in a folder or bucket, in order, each batch once; and say what is late or missing.

    Goes on where the store or ledger cannot be used for a while, and ends after the batch at hand when it is told to
    (Ctrl-C, SIGTERM). With --once what still waits is told too, and ends with 1.
    """
    from tidegate_contracts.load import load_contract
    from tidegate_flows.place import at
    from tidegate_flows.url import masked
    from tidegate_flows.watching import Watcher

    loaded, stop = load_contract(contract), threading.Event()
    if not once:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
    with at(settings(context, store, ledger)) as where:
        watcher = Watcher(where, loaded, place, settle, patience, once=once)
        if once:
            raise typer.Exit(_look(watcher, loaded, stop, as_json=as_json))
        say(f"watching {masked(place)} for {loaded.name}: a look every {every:g} s; Ctrl-C stops")
        troubles = 0
        while not stop.is_set():
            try:
                _look(watcher, loaded, stop, as_json=as_json)
                troubles = 0
            except TidegateError as error:
                if error.exit_code != NO_VERDICT:
                    raise
                troubles += 1
                say(
                    f"error:   {error}", f"hint:    the watch goes on, and looks again in {_pause(every, troubles):g} s"
                )
            stop.wait(_pause(every, troubles))
        say("stopped after the batch at hand")


def _look(watcher: Watcher, contract: Contract, stop: threading.Event, *, as_json: bool) -> int:
    """One look; gives the worst exit code of what it found."""
    worst = PASSED
    for item in watcher.look():
        worst = max(worst, _tell(item, contract, as_json=as_json))
        if stop.is_set():
            break
    return worst


def _pause(every: float, troubles: int) -> float:
    """Seconds until the next look: twice as many after each that failed, within reason."""
    return min(every * 2.0 ** min(troubles, 32), max(every, _LONGEST))


def _tell(item: Run | Refused | Waiting | Overdue, contract: Contract, *, as_json: bool) -> int:
    from tidegate_flows.cli.gate import show_run
    from tidegate_flows.schedule import Overdue
    from tidegate_flows.watching import Refused, Waiting
    from tidegate_monitors.breaker import Decision

    if isinstance(item, Waiting):
        say(f"waiting: {item.name}: {item.why}")
        return STOPPED if item.overdue else PASSED
    if isinstance(item, Refused):
        say(f"error:   {item.name}: {item.why}")
        return WRONG
    if isinstance(item, Overdue):
        alarm = item.alarm(contract)
        if as_json:
            emit({"format": 1, "dataset": contract.name, "batch": None, "findings": [alarm.to_dict()]})
        else:
            tables.line(f"{contract.name}: {alarm.severity.value} {alarm.check}: {alarm.message}")
        return PASSED
    if as_json:
        emit(item.to_dict())
    else:
        show_run(item)
    return PASSED if item.decision is Decision.PUBLISH else STOPPED
