"""``quarantine list``, ``show``, ``release``, ``replay`` and ``discard``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tidegate_flows.cli import tables
from tidegate_flows.cli.exits import PASSED, STOPPED
from tidegate_flows.cli.options import By, Json, LedgerUrl, Reason, Store, emit, settings

if TYPE_CHECKING:
    from tidegate_monitors.run import Run

app = typer.Typer(help="What was not published, and why.", no_args_is_help=True)
Dataset = Annotated[str, typer.Argument(metavar="DATASET", help="The contract's name.")]
BatchId = Annotated[str, typer.Argument(metavar="BATCH", help="The batch's id.")]
ContractOption = Annotated[
    str | None, typer.Option("--contract", help="The contract, if not the file that the dataset was last gated with.")
]


@app.command("list")
def listing(
    context: typer.Context,
    dataset: Annotated[str | None, typer.Argument(metavar="DATASET", help="One dataset; else all.")] = None,
    store: Store = None,
    ledger: LedgerUrl = None,
    as_json: Json = False,
) -> None:
    """Batches held, quarantined, or published without some of their rows; and labels that were set aside."""
    from tidegate_flows import labels_aside
    from tidegate_flows.place import at
    from tidegate_flows.quarantine import kept

    with at(settings(context, store, ledger), read_only=True) as place:
        found = [*kept(place, dataset), *labels_aside.kept(place, dataset)]
    if as_json:
        for item in found:
            emit(item)
    elif found:
        columns = ("dataset", "batch", "state", "rows", "because of", "kept since")
        tables.show(
            columns,
            [
                (
                    i["dataset"],
                    i["batch"],
                    i["state"],
                    i["rows"],
                    ", ".join(i["checks"]) or "breaker open",
                    i["kept_since"],
                )
                for i in found
            ],
        )
    else:
        tables.line("nothing is quarantined or held")


@app.command()
def show(
    context: typer.Context,
    dataset: Dataset,
    batch: BatchId,
    store: Store = None,
    ledger: LedgerUrl = None,
    as_json: Json = False,
) -> None:
    """One batch or delivery of labels: why, where its files lie, and how many rows broke which clause."""
    from tidegate_flows import labels_aside
    from tidegate_flows.place import at
    from tidegate_flows.quarantine import details

    with at(settings(context, store, ledger), read_only=True) as place:
        ours = {item["batch"] for item in labels_aside.kept(place, dataset)}
        found = (labels_aside.details if batch in ours else details)(place, dataset, batch)
    if as_json:
        emit(found)
        return
    tables.line(f"{dataset}/{batch}: {found['state']}, in {found['folder']}")
    for finding in found["findings"]:
        tables.line(f"  {finding['severity']:8} {finding['check']}: {finding['message']}")
    if found["reasons"]:
        rows = [(r["check"], r["rule"], r["column"] or "–", r["rows"]) for r in found["reasons"]]
        tables.show(("check", "rule", "column", "rows"), rows)


@app.command()
def release(
    context: typer.Context,
    dataset: Dataset,
    batch: BatchId,
    by: By,
    reason: Reason,
    contract: ContractOption = None,
    store: Store = None,
    ledger: LedgerUrl = None,
    as_json: Json = False,
) -> None:
    """Publish what was kept back as it is: you sign for it."""
    from tidegate_flows import readmission
    from tidegate_flows.place import at

    with at(settings(context, store, ledger), must_exist=True) as place:
        run = readmission.release(place, dataset, batch, by=by, reason=reason, contract=contract)
    _tell(run, as_json=as_json)


@app.command()
def replay(
    context: typer.Context,
    dataset: Dataset,
    batch: BatchId,
    by: By,
    reason: Reason,
    contract: ContractOption = None,
    store: Store = None,
    ledger: LedgerUrl = None,
    as_json: Json = False,
) -> None:
    """Check what was kept back again, under the contract as it is now; what passes is published."""
    from tidegate_flows import readmission
    from tidegate_flows.place import at

    with at(settings(context, store, ledger), must_exist=True) as place:
        run = readmission.replay(place, dataset, batch, by=by, reason=reason, contract=contract)
    _tell(run, as_json=as_json)


@app.command()
def discard(
    context: typer.Context,
    dataset: Dataset,
    batch: BatchId,
    by: By,
    reason: Reason,
    store: Store = None,
    ledger: LedgerUrl = None,
    as_json: Json = False,
) -> None:
    """Delete a batch that was kept back, or labels that were set aside; the ledger remembers who let them go."""
    from tidegate_flows import labels_aside, readmission
    from tidegate_flows.place import at

    with at(settings(context, store, ledger), must_exist=True) as place:
        aside = {item["batch"] for item in labels_aside.kept(place, dataset)}
        (labels_aside.discard if batch in aside else readmission.discard)(place, dataset, batch, by=by, reason=reason)
    if as_json:
        emit({"format": 1, "dataset": dataset, "batch": batch, "discarded": True, "by": by, "reason": reason})
    else:
        tables.line(f"{dataset}/{batch}: discarded by {by}")


def _tell(run: Run, *, as_json: bool) -> None:
    """The batch as it stands now; exit 1 while any of it is still kept back."""
    from tidegate_monitors.breaker import Decision

    rows = run.counts
    if as_json:
        emit(run.to_dict())
    else:
        tables.line(
            f"{run.dataset}/{run.batch}: {run.decision.value}; rows in {rows.delivered}, "
            f"published {rows.published}, quarantined {rows.quarantined}, held {rows.held}"
        )
        for finding in run.findings:
            tables.line(f"  {finding.severity.value:8} {finding.check}: {finding.message}")
        if run.decision is Decision.PUBLISH and rows.quarantined:
            tables.line(f"  {rows.quarantined} rows stay in quarantine")
        if rows.held:
            tables.line(f"  it passes and waits: tidegate breaker close {run.dataset} --by WHO --reason WHY")
    whole = run.decision is Decision.PUBLISH and rows.published == rows.delivered
    raise typer.Exit(PASSED if whole else STOPPED)
