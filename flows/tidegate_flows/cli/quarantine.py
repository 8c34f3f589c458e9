"""``quarantine list`` and ``show``."""

from __future__ import annotations

from typing import Annotated

import typer

from tidegate_flows.cli import tables
from tidegate_flows.cli.options import Json, LedgerUrl, Store, emit, settings

app = typer.Typer(help="What was not published, and why.", no_args_is_help=True)


@app.command("list")
def listing(
    context: typer.Context,
    dataset: Annotated[str | None, typer.Argument(metavar="DATASET", help="One dataset; else all.")] = None,
    store: Store = None,
    ledger: LedgerUrl = None,
    as_json: Json = False,
) -> None:
    """Batches held, quarantined, or published without some of their rows."""
    from tidegate_flows.place import at
    from tidegate_flows.quarantine import kept

    with at(settings(context, store, ledger), must_exist=True) as place:
        found = kept(place, dataset)
    if as_json:
        for item in found:
            emit(item)
    elif found:
        columns = ("dataset", "batch", "state", "rows", "because of", "received_at")
        tables.show(
            columns,
            [
                (
                    i["dataset"],
                    i["batch"],
                    i["state"],
                    i["rows"],
                    ", ".join(i["checks"]) or "breaker open",
                    i["received_at"],
                )
                for i in found
            ],
        )
    else:
        typer.echo("nothing is quarantined or held")


@app.command()
def show(
    context: typer.Context,
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="The contract's name.")],
    batch: Annotated[str, typer.Argument(metavar="BATCH", help="The batch's id.")],
    store: Store = None,
    ledger: LedgerUrl = None,
    as_json: Json = False,
) -> None:
    """One batch: why, where its files lie, and how many rows broke which clause."""
    from tidegate_flows.place import at
    from tidegate_flows.quarantine import details

    with at(settings(context, store, ledger), must_exist=True) as place:
        found = details(place, dataset, batch)
    if as_json:
        emit(found)
        return
    typer.echo(f"{dataset}/{batch}: {found['state']}, in {found['folder']}")
    for finding in found["findings"]:
        typer.echo(f"  {finding['severity']:8} {finding['check']}: {finding['message']}")
    if found["reasons"]:
        rows = [(r["check"], r["rule"], r["column"] or "–", r["rows"]) for r in found["reasons"]]
        tables.show(("check", "rule", "column", "rows"), rows)
