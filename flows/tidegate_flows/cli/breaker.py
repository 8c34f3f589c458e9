"""``breaker status``, ``require``, ``trip``, ``probe``, ``close`` and ``override``."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from tidegate_flows.cli import tables
from tidegate_flows.cli.options import By, Json, LedgerUrl, Reason, Store, emit, settings

if TYPE_CHECKING:
    from tidegate_monitors.breaker import Breaker
    from tidegate_monitors.run import Run

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
    from tidegate_flows.breaker_now import breaker_now
    from tidegate_flows.ledger import breakers, runs
    from tidegate_flows.place import at

    with at(settings(context, store, ledger), read_only=True) as place, place.ledger.read() as connection:
        found = {name: breaker_now(item, place.clock()) for name, item in breakers.all_of(connection).items()}
        held = {name: runs.summary(connection, name).held for name in found}
        why = {name: breakers.why(connection, name, item) for name, item in found.items()}
    if dataset is not None and dataset not in found:
        raise UsageError("no such dataset", found=repr(dataset), allowed=", ".join(found) or "none was gated yet")
    chosen = {name: item for name, item in found.items() if dataset in (None, name)}
    if as_json:
        for name, item in chosen.items():
            facts = {"state": item.state.value, "failures": item.failures, "since": iso(item.changed_at)}
            until = {"override_until": iso(item.override.until) if item.override is not None else None}
            emit({"format": 1, "dataset": name, **facts, "cause": item.cause, "held": held[name], **until})
        return
    rows = [
        (
            name,
            item.state.value,
            iso(item.changed_at) or "–",
            why[name] or "–",
            held[name],
            (iso(item.override.until) if item.override is not None else None) or "–",
        )
        for name, item in chosen.items()
    ]
    tables.show(("dataset", "state", "since", "because of", "held", "overridden until"), rows)


@app.command()
def require(context: typer.Context, dataset: Dataset, store: Store = None, ledger: LedgerUrl = None) -> None:
    """Exit 0 if the breaker is closed or overridden, 1 if not: for the head of any job that reads the data."""
    from tidegate_flows.downstream import require_closed

    chosen = settings(context, store, ledger)
    require_closed(dataset, store=chosen)
    tables.line(f"{dataset}: batches pass")


@app.command()
def trip(
    context: typer.Context,
    dataset: Dataset,
    by: By,
    reason: Reason,
    store: Store = None,
    ledger: LedgerUrl = None,
    as_json: Json = False,
) -> None:
    """Open a breaker by hand: good batches are held from now on, and an override ends."""
    from tidegate_flows import by_hand
    from tidegate_flows.place import at

    with at(settings(context, store, ledger), must_exist=True) as place:
        breaker = by_hand.trip(place, dataset, by=by, reason=reason)
    _tell(dataset, breaker, [], as_json=as_json)


@app.command()
def probe(
    context: typer.Context,
    dataset: Dataset,
    by: By,
    reason: Reason,
    store: Store = None,
    ledger: LedgerUrl = None,
    as_json: Json = False,
) -> None:
    """Let one batch try: the oldest held one, at once, or the next that comes.

    Ends with 0 if the breaker is closed now or waits for the next batch, else with 1.
    """
    from tidegate_flows import by_hand
    from tidegate_flows.cli.exits import PASSED, STOPPED
    from tidegate_flows.place import at

    with at(settings(context, store, ledger), must_exist=True) as place:
        breaker, released = by_hand.probe(place, dataset, by=by, reason=reason)
    waits = breaker.state.value == "half_open" and breaker.probe is None
    outcome = {
        "closed": "closed: batches pass",
        "open": f"open: the probe failed ({breaker.cause})",
        "half_open": "half_open: the next batch that comes is the probe"
        if waits
        else f"half_open: the probe {breaker.probe} has no verdict yet",
    }[breaker.state.value]
    _tell(dataset, breaker, released, as_json=as_json, outcome=outcome)
    raise typer.Exit(PASSED if waits or breaker.state.value == "closed" else STOPPED)


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
    from tidegate_flows import by_hand
    from tidegate_flows.cli.exits import PASSED, STOPPED
    from tidegate_flows.place import at

    with at(settings(context, store, ledger), must_exist=True) as place:
        breaker, released = by_hand.close(place, dataset, by=by, reason=reason)
    _tell(dataset, breaker, released, as_json=as_json)
    raise typer.Exit(PASSED if breaker.state.value == "closed" else STOPPED)


@app.command()
def override(
    context: typer.Context,
    dataset: Dataset,
    by: By,
    reason: Reason,
    length: Annotated[str, typer.Option("--for", metavar="TIME", help="How long, such as 30m, 4h or 2d; at most 31d.")],
    store: Store = None,
    ledger: LedgerUrl = None,
    as_json: Json = False,
) -> None:
    """Let good batches pass an open breaker for a time; it ends by itself, or when the breaker is tripped or closes."""
    from tidegate_flows import by_hand
    from tidegate_flows.place import at

    with at(settings(context, store, ledger), must_exist=True) as place:
        breaker, released = by_hand.override(place, dataset, _length(length), by=by, reason=reason)
    _tell(dataset, breaker, released, as_json=as_json)


def _length(text: str) -> timedelta:
    from tidegate_contracts.errors import UsageError

    found = re.fullmatch(r"(\d{1,6})([smhd])", text.strip())
    if found is None:
        raise UsageError("--for", found=repr(text), allowed="a whole number and s, m, h or d, such as 4h")
    unit = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}[found[2]]
    return timedelta(**{unit: int(found[1])})


def _tell(dataset: str, breaker: Breaker, released: list[Run], *, as_json: bool, outcome: str | None = None) -> None:
    from tidegate_contracts.batch import iso

    until = iso(breaker.override.until) if breaker.override is not None else None
    words = [{"batch": run.batch, "decision": run.decision.value} for run in released]
    if as_json:
        facts = {"state": breaker.state.value, "override_until": until, "released": words}
        emit({"format": 1, "dataset": dataset, **facts} | ({"outcome": outcome} if outcome else {}))
        return
    tables.line(f"{dataset}: {outcome or breaker.state.value}{f', overridden until {until}' if until else ''}")
    for word in words:
        tables.line(f"  {word['batch']}: {word['decision']}")
