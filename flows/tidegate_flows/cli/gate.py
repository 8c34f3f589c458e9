"""``check``, ``gate`` and ``recover``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate_flows.cli.exits import NO_VERDICT, PASSED, STOPPED, say
from tidegate_flows.cli.options import ContractPath, Json, LedgerUrl, Store, emit, settings

if TYPE_CHECKING:
    from tidegate_monitors.run import Run
    from tidegate_monitors.verdict import Finding


def check(
    context: typer.Context,
    contract: ContractPath,
    batch: Annotated[str, typer.Argument(help="A parquet or CSV file.")],
    reference: Annotated[
        str | None, typer.Option("--reference", help="A reference's file, or the beginning of its hash in the store.")
    ] = None,
    store: Store = None,
    ledger: LedgerUrl = None,
    as_json: Json = False,
) -> None:
    """Look at a batch once; nothing is stored."""
    from tidegate_contracts.load import load_contract
    from tidegate_flows import look

    loaded = load_contract(contract)
    held_against = _reference(context, loaded.name, reference, store, ledger) if reference else None
    verdict = look.check(batch, loaded, held_against)
    decision = "publish" if verdict.passed else "quarantine"
    if as_json:
        published = verdict.rows - verdict.set_aside if verdict.passed else 0
        rows = {"in": verdict.rows, "published": published, "quarantined": verdict.rows - published, "held": 0}
        emit(
            {
                "format": 1,
                "dataset": loaded.name,
                "batch": Path(batch).name,
                "contract": {"version": loaded.version, "sha256": loaded.sha256},
                "decision": decision,
                "state": None,
                "verified": True,
                "rows": rows,
                **verdict.to_dict(),
                "reference": held_against.sha256 if held_against else None,
                "run": None,
            }
        )
    else:
        typer.echo(f"{Path(batch).name}: {'passes' if verdict.passed else 'breaks'} {loaded.name} {loaded.version}")
        _show_findings(verdict.findings)
    raise typer.Exit(PASSED if verdict.passed else STOPPED)


def gate(
    context: typer.Context,
    contract: ContractPath,
    batches: Annotated[list[str], typer.Argument(metavar="BATCH…", help="Parquet or CSV files.")],
    batch_id: Annotated[
        str | None, typer.Option("--batch-id", help="The id of the one batch, if it is not the file's name.")
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of", help="The batch's time for the breaker: an ISO time, or 'window' for its window's end."
        ),
    ] = None,
    store: Store = None,
    ledger: LedgerUrl = None,
    as_json: Json = False,
) -> None:
    """Take batches through the gate: check, decide, record; then publish, quarantine or hold."""
    from tidegate_contracts.errors import TidegateError, UsageError
    from tidegate_contracts.load import load_contract
    from tidegate_flows.gate import gate_at
    from tidegate_flows.intake import natural_id
    from tidegate_flows.place import at
    from tidegate_monitors.breaker import Decision

    if batch_id is not None and len(batches) > 1:
        raise UsageError("--batch-id", found=f"{len(batches)} batches", allowed="one batch")
    loaded, worst = load_contract(contract), PASSED
    with at(settings(context, store, ledger)) as place:
        for batch in sorted(batches, key=lambda name: natural_id(Path(name))):
            try:
                run = gate_at(place, batch, loaded, batch_id=batch_id, as_of=as_of)
            except TidegateError as error:
                if error.exit_code == NO_VERDICT or len(batches) == 1:
                    raise
                say(f"error:   {batch}: {error}")
                worst = max(worst, error.exit_code)
                continue
            worst = max(worst, PASSED if run.decision is Decision.PUBLISH else STOPPED)
            if as_json:
                emit(run.to_dict())
            else:
                _show_run(run)
    raise typer.Exit(worst)


def recover(context: typer.Context, store: Store = None, ledger: LedgerUrl = None, as_json: Json = False) -> None:
    """Finish what a crash left: decisions that were recorded but not yet carried out."""
    from tidegate_flows import recover as recovery
    from tidegate_flows.place import at

    with at(settings(context, store, ledger), must_exist=True) as place:
        finished = recovery.recover(place)
        recovery.sweep(place)
    if as_json:
        emit({"format": 1, "finished": finished})
    else:
        typer.echo(f"{finished} decisions were waiting and are carried out")


def _reference(context: typer.Context, dataset: str, text: str, store: str | None, ledger: str | None) -> Any:
    from tidegate_flows import reference
    from tidegate_flows.place import at

    if Path(text).is_file() or text.endswith(".json"):
        return reference.read(Path(text))
    with at(settings(context, store, ledger), must_exist=True) as place:
        return reference.load(place, dataset, text)


def _show_run(run: Run) -> None:
    rows = run.counts
    typer.echo(
        f"{run.dataset}/{run.batch}: {run.decision.value}{', decided before' if run.repeated else ''}, "
        f"breaker {run.state.value}{' then' if run.repeated else ''}; rows in {rows.delivered}, "
        f"published {rows.published}, quarantined {rows.quarantined}, held {rows.held}"
    )
    _show_findings(run.findings)


def _show_findings(findings: Sequence[Finding]) -> None:
    for finding in findings:
        typer.echo(f"  {finding.severity.value:8} {finding.check}: {finding.message}")
