"""``audit show`` and ``verify``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from tidegate_flows.cli import tables
from tidegate_flows.cli.options import Json, LedgerUrl, Store, emit, settings

app = typer.Typer(help="Who did what, when and why.", no_args_is_help=True)
OneDataset = Annotated[str | None, typer.Argument(metavar="DATASET", help="One dataset; else all.")]


@app.command()
def show(
    context: typer.Context,
    dataset: OneDataset = None,
    batch: Annotated[str | None, typer.Option("--batch", help="Only what was done to one batch.")] = None,
    store: Store = None,
    ledger: LedgerUrl = None,
    as_json: Json = False,
) -> None:
    """All entries, the oldest first."""
    from tidegate_flows.ledger import audit
    from tidegate_flows.place import at

    with at(settings(context, store, ledger), read_only=True) as place, place.ledger.read() as connection:
        _require_known(dataset, audit.names(connection))
        found = [entry for entry in audit.entries(connection, dataset) if batch in (None, entry["batch"])]
    if as_json:
        for entry in found:
            emit(entry)
        return
    columns = ("seq", "at", "dataset", "event", "batch", "by", "reason")
    tables.show(
        columns, [tuple(entry[name] if entry[name] is not None else "–" for name in columns) for entry in found]
    )


@app.command()
def verify(
    context: typer.Context,
    dataset: OneDataset = None,
    head: Annotated[
        str | None,
        typer.Option("--head", metavar="SHA", help="A hash that was noted outside: it must be in the chain."),
    ] = None,
    store: Store = None,
    ledger: LedgerUrl = None,
    as_json: Json = False,
) -> None:
    """Whether every entry is as it was written, and every verdict has one; 1 if any was changed or removed.

    Removed at the end only shows against a head noted outside: it is printed here, and exported as a metric's label.
    """
    from tidegate_flows.cli.exits import PASSED, STOPPED
    from tidegate_flows.ledger import audit
    from tidegate_flows.place import at

    with at(settings(context, store, ledger), read_only=True) as place, place.ledger.read() as connection:
        names = audit.names(connection)
        _require_known(dataset, names)
        found = [audit.verify(connection, name) for name in names if dataset in (None, name)]
    missing = head is not None and not any(head in chain.hashes for chain in found)
    for chain in found:
        facts = {
            "dataset": chain.dataset,
            "entries": chain.entries,
            "head": chain.head,
            "first_break": chain.first_break,
            "unaudited": list(chain.unaudited),
        }
        if as_json:
            emit({"format": 1, **facts, "head_found": None if head is None else head in chain.hashes})
            continue
        if chain.holds:
            tables.line(f"{chain.dataset}: {chain.entries} entries hold; head {chain.head}")
        if chain.first_break is not None:
            tables.line(
                f"{chain.dataset}: entry {chain.first_break} is not as it was written, or one before it is gone"
            )
        if chain.unaudited:
            tables.line(f"{chain.dataset}: entries are gone: {_few(chain.unaudited)} without one for the verdict")
    if missing and not as_json:
        tables.line(f"no chain has the head {head}: entries were removed at the end, or it is another ledger's")
    raise typer.Exit(PASSED if not missing and all(chain.holds for chain in found) else STOPPED)


def _few(batches: Sequence[str]) -> str:
    """Some batches by name, and how many there are."""
    shown = ", ".join(batches[:5])
    word = "batch" if len(batches) == 1 else "batches"
    return f"{len(batches)} {word} ({shown}{', …' if len(batches) > 5 else ''})"


def _require_known(dataset: str | None, names: list[str]) -> None:
    from tidegate_contracts.errors import UsageError

    if dataset is not None and dataset not in names:
        raise UsageError("no such dataset", found=repr(dataset), allowed=", ".join(names) or "none was gated yet")
