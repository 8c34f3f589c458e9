"""``watch``."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from tidegate_flows.cli import tables
from tidegate_flows.cli.exits import PASSED, STOPPED, WRONG, say
from tidegate_flows.cli.options import ContractPath, Json, LedgerUrl, Store, emit, settings

if TYPE_CHECKING:
    from tidegate_contracts.contract import Contract
    from tidegate_flows.schedule import Overdue
    from tidegate_flows.watching import Refused
    from tidegate_monitors.run import Run


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
        float, typer.Option("--patience", min=0.0, help="Seconds after which an unfinished batch is taken as it is.")
    ] = 600.0,
    store: Store = None,
    ledger: LedgerUrl = None,
    as_json: Json = False,
) -> None:
    """Take what lands in a folder or bucket, in order, each batch once; and say what is late or missing.

    Ends after the batch at hand when it is told to (Ctrl-C, SIGTERM).
    """
    from tidegate_contracts.load import load_contract
    from tidegate_flows.place import at
    from tidegate_flows.watching import Watcher

    loaded, worst, stop = load_contract(contract), PASSED, threading.Event()
    if not once:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
    with at(settings(context, store, ledger)) as where:
        watcher = Watcher(where, loaded, place, settle, patience)
        while True:
            for item in watcher.look():
                worst = max(worst, _tell(item, loaded, as_json=as_json))
                if stop.is_set():
                    break
            if once or stop.wait(every):
                break
    raise typer.Exit(worst if once else PASSED)


def _tell(item: Run | Refused | Overdue, contract: Contract, *, as_json: bool) -> int:
    from tidegate_flows.cli.gate import show_run
    from tidegate_flows.schedule import Overdue
    from tidegate_flows.watching import Refused
    from tidegate_monitors.breaker import Decision

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
