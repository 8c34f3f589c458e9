"""``breaker status``, ``require`` and ``close``."""

from __future__ import annotations

from typing import Annotated

import typer

from tidegate_flows.cli import tables
from tidegate_flows.cli.options import By, Json, LedgerUrl, Reason, Store, emit, settings

app = typer.Typer(help="Whether batches pass.", no_args_is_help=True)
Dataset = Annotated[str, typer.Argument(metavar="DATASET", help="The contract's name.")]


@app.command()
def status(
    context: typer.Context,
    dataset: Annotated[str | None, typer.Argument(metavar="DATASET", help="One dataset; else all.")] = None,
    store: Store = None,
    ledger: LedgerUrl = None,
    as_json: Json = False,
) -> None:
    """The state of the breakers."""
    from tidegate_contracts.batch import iso
    from tidegate_contracts.errors import UsageError
    from tidegate_flows.ledger import breakers, runs
    from tidegate_flows.place import at

    with at(settings(context, store, ledger), must_exist=True) as place, place.ledger.begin() as connection:
        found = breakers.all_of(connection)
        held = {name: runs.summary(connection, name).held for name in found}
    if dataset is not None and dataset not in found:
        raise UsageError("no such dataset", found=repr(dataset), allowed=", ".join(found) or "none was gated yet")
    chosen = {name: item for name, item in found.items() if dataset in (None, name)}
    if as_json:
        for name, item in chosen.items():
            facts = {"state": item.state.value, "failures": item.failures, "since": iso(item.changed_at)}
            emit({"format": 1, "dataset": name, **facts, "cause": item.cause, "held": held[name]})
        return
    rows = [(n, i.state.value, iso(i.changed_at) or "–", i.cause or "–", held[n]) for n, i in chosen.items()]
    tables.show(("dataset", "state", "since", "because of", "held"), rows)


@app.command()
def require(context: typer.Context, dataset: Dataset, store: Store = None, ledger: LedgerUrl = None) -> None:
    """Exit 0 if the breaker is closed, 1 if not: for the head of any job that reads the data."""
    from tidegate_flows.gate import require_closed

    chosen = settings(context, store, ledger)
    require_closed(dataset, store=chosen.store.value, ledger=chosen.ledger.value or None)
    tables.line(f"{dataset}: closed")


@app.command()
def close(
    context: typer.Context,
    dataset: Dataset,
    by: By,
    reason: Reason,
    store: Store = None,
    ledger: LedgerUrl = None,
    as_json: Json = False,
) -> None:
    """Close a breaker by hand; batches that it held are judged again and released."""
    from tidegate_flows import held
    from tidegate_flows.cli.exits import PASSED, STOPPED
    from tidegate_flows.place import at

    with at(settings(context, store, ledger), must_exist=True) as place:
        breaker, released = held.close(place, dataset, by=by, reason=reason)
    words = [{"batch": run.batch, "decision": run.decision.value} for run in released]
    if as_json:
        emit({"format": 1, "dataset": dataset, "state": breaker.state.value, "released": words})
    else:
        tables.line(f"{dataset}: {breaker.state.value}")
        for word in words:
            tables.line(f"  {word['batch']}: {word['decision']}")
    raise typer.Exit(PASSED if breaker.state.value == "closed" else STOPPED)
