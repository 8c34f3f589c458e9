"""``check``, ``gate`` and ``recover``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate_flows.cli import tables
from tidegate_flows.cli.exits import NO_VERDICT, PASSED, STOPPED, say
from tidegate_flows.cli.options import ContractPath, Json, LedgerUrl, Store, emit, settings

if TYPE_CHECKING:
    from tidegate_contracts.contract import Contract
    from tidegate_flows.intake import Query
    from tidegate_flows.ledger.batches import Revision
    from tidegate_monitors.finding import Finding
    from tidegate_monitors.run import Run
    from tidegate_monitors.verdict import Verdict


def check(
    context: typer.Context,
    contract: ContractPath,
    batch: Annotated[str | None, typer.Argument(help="A file, a folder of part files, or a URL.")] = None,
    reference: Annotated[
        str | None, typer.Option("--reference", help="A reference's file, or the beginning of its hash in the store.")
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of", help="When the batch's age is counted: an ISO time, or 'window' for its window's end; else now."
        ),
    ] = None,
    sql: Annotated[str | None, typer.Option("--sql", help="Instead: a database's URL (TIDEGATE_SQL).")] = None,
    table: Annotated[str | None, typer.Option("--table", help="TABLE or SCHEMA.TABLE in that database.")] = None,
    allow_unchecked: Annotated[
        bool, typer.Option("--allow-unchecked", help="Pass over clauses that a database cannot be asked.")
    ] = False,
    data_docs: Annotated[
        Path | None, typer.Option("--data-docs", help="A folder for Great Expectations' page about the table.")
    ] = None,
    store: Store = None,
    ledger: LedgerUrl = None,
    as_json: Json = False,
) -> None:
    """Look at a batch once, or at a table where it lies; nothing is stored."""
    from tidegate_contracts.errors import UsageError
    from tidegate_contracts.load import load_contract
    from tidegate_flows import look

    if sql is not None or table is not None:
        if batch is not None or reference is not None:
            raise UsageError("--sql looks at a table", found="a batch or a reference too", allowed="one of them")
        from tidegate_flows.cli.sql_check import check_sql

        check_sql(contract, sql, table, allow_unchecked, data_docs, as_json)
        return
    if batch is None:
        raise UsageError("which batch?", allowed="a file, a folder, a URL, or --sql URL --table TABLE")
    loaded = load_contract(contract)
    held_against = _reference(context, loaded.name, reference, store, ledger) if reference else None
    verdict = look.check(batch, loaded, held_against, as_of=as_of)
    _show_verdict(verdict, batch, loaded, held_against, as_json=as_json)
    raise typer.Exit(PASSED if verdict.passed else STOPPED)


def _show_verdict(verdict: Verdict, batch: str, loaded: Contract, held_against: Any, *, as_json: bool) -> None:
    """One look's verdict, for a machine or for people."""
    from tidegate_flows.intake import masked

    name = Path(masked(batch)).name
    decision = "publish" if verdict.passed else "quarantine"
    if as_json:
        published = verdict.rows - verdict.set_aside if verdict.passed else 0
        rows = {"in": verdict.rows, "published": published, "quarantined": verdict.rows - published, "held": 0}
        emit(
            {
                "format": 1,
                "dataset": loaded.name,
                "batch": name,
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
        aside = verdict.set_aside if verdict.passed else 0
        kept = f"; {aside} of {verdict.rows} rows would be set aside" if aside else ""
        tables.line(f"{name}: {'passes' if verdict.passed else 'breaks'} {loaded.name} {loaded.version}{kept}")
        _show_findings(verdict.findings)


def gate(
    context: typer.Context,
    contract: ContractPath,
    batches: Annotated[
        list[str] | None, typer.Argument(metavar="BATCH…", help="Files, folders of part files, or URLs.")
    ] = None,
    batch_id: Annotated[
        str | None, typer.Option("--batch-id", help="The id of the one batch, if it is not the file's name.")
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of", help="The batch's time for the breaker: an ISO time, or 'window' for its window's end."
        ),
    ] = None,
    sql: Annotated[str | None, typer.Option("--sql", help="Instead: a database's URL (TIDEGATE_SQL).")] = None,
    table: Annotated[
        str | None, typer.Option("--table", help="A table or one query of it; its rows are read as they are now.")
    ] = None,
    supersede: Annotated[
        bool,
        typer.Option("--supersede", help="Other bytes under a known id are its new revision; with --by and --reason."),
    ] = False,
    by: Annotated[str | None, typer.Option("--by", help="Who has it superseded.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why.")] = None,
    store: Store = None,
    ledger: LedgerUrl = None,
    as_json: Json = False,
) -> None:
    """Take batches through the gate: check, decide, record; then publish, quarantine or hold."""
    from tidegate_contracts.errors import TidegateError
    from tidegate_contracts.load import load_contract
    from tidegate_flows.gate import gate_at
    from tidegate_flows.intake import masked
    from tidegate_flows.pasted import named
    from tidegate_flows.place import at
    from tidegate_monitors.breaker import Decision

    revision = _signed(supersede, by, reason)
    deliveries = _deliveries(batches or (), sql, table, batch_id)
    loaded, worst, waits, refused = load_contract(contract), PASSED, False, ""
    chosen = settings(context, store, ledger)
    with at(chosen) as place:
        for delivery in deliveries:
            try:
                run = gate_at(place, delivery, loaded, batch_id=batch_id, as_of=as_of, revision=revision)
            except TidegateError as error:
                if error.exit_code == NO_VERDICT or len(deliveries) == 1:
                    raise
                say(f"error:   {masked(str(delivery))}: {error}")
                worst = max(worst, error.exit_code)
                continue
            waits = waits or run.decision is Decision.HOLD
            refused = (run.key or run.batch) if run.decision is Decision.QUARANTINE else refused
            worst = max(worst, PASSED if run.decision is Decision.PUBLISH else STOPPED)
            _tell(run, as_json=as_json)
    if not as_json:
        _tell_ways(contract, loaded.name, named(chosen), refused=refused, waits=waits)
    raise typer.Exit(worst)


def _tell_ways(contract: str, dataset: str, store: str | None, *, refused: str, waits: bool) -> None:
    """What can be done about the batch that was refused last, and about those that wait."""
    from tidegate_flows.pasted import pasted, way_out

    if refused:
        say(f"why, and what can be done: {pasted('report', contract, refused, store=store)}")
    if waits:
        say(f"what is held waits until the breaker closes: {way_out(dataset, store)}")


def _tell(run: Run, *, as_json: bool) -> None:
    """One verdict, and before it what whoever reads the rows must know of it."""
    if run.caution is not None:
        say(f"warning: {run.dataset}/{run.batch}: {run.caution}")
    if as_json:
        emit(run.to_dict())
    else:
        show_run(run)


def _signed(supersede: bool, by: str | None, reason: str | None) -> Revision | None:
    """Who has the batch supersede another; None where nobody asks for that."""
    from tidegate_contracts.errors import UsageError
    from tidegate_flows.gate import signed_revision

    if supersede and (by is None or reason is None):
        unsigned = " and ".join(name for name, value in (("--by", by), ("--reason", reason)) if value is None)
        raise UsageError(
            "--supersede needs --by WHO and --reason WHY", found=f"no {unsigned}", hint="it stays in the audit"
        )
    return signed_revision(supersede, by, reason)


def _deliveries(batches: Sequence[str], sql: str | None, table: str | None, batch_id: str | None) -> list[Any]:
    """What is to be gated, in the order of names."""
    from tidegate_contracts.errors import UsageError
    from tidegate_flows.intake import natural_id

    found: list[Any] = sorted(batches, key=lambda name: natural_id(Path(name)))
    if sql is not None or table is not None:
        if found:
            raise UsageError("--sql takes a table", found=f"{len(found)} other batches", allowed="one of them")
        found.append(_query(sql, table))
    if not found:
        raise UsageError("which batch?", allowed="files, folders, URLs, or --sql URL --table TABLE")
    if batch_id is not None and len(found) > 1:
        raise UsageError("--batch-id", found=f"{len(found)} batches", allowed="one batch")
    return found


def _query(sql: str | None, table: str | None) -> Query:
    """A table of a database as a delivery."""
    from tidegate_contracts.errors import UsageError
    from tidegate_flows.intake import Query
    from tidegate_flows.sql.address import address

    if not table:
        raise UsageError("--sql needs a table", allowed="--table TABLE, or --table 'select …'")
    return Query(address(sql).url.render_as_string(hide_password=False), table)


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
    with at(settings(context, store, ledger), read_only=True) as place:
        return reference.load(place, dataset, text)


def show_run(run: Run) -> None:
    """One batch's way, for people."""
    rows = run.counts
    tables.line(
        f"{run.dataset}/{run.batch}: {run.decision.value}{_revision(run)}{_not_vouched(run)}"
        f"{', decided before' if run.repeated else ''}, "
        f"breaker {run.state.value}{' then' if run.repeated else ''}; rows in {rows.delivered}, "
        f"published {rows.published}, quarantined {rows.quarantined}, held {rows.held}"
    )
    _show_findings(run.findings)


def _revision(run: Run) -> str:
    return f" (revision {run.revision})" if run.revision > 1 else ""


def _not_vouched(run: Run) -> str:
    if run.would is not None:
        return f" in shadow (would: {run.would})"
    return "" if run.verified else " unverified"


def _show_findings(findings: Sequence[Finding]) -> None:
    for finding in findings:
        rows = (
            f"; such as {', '.join(finding.examples[:3])}" if finding.kind == "violation" and finding.examples else ""
        )
        folded = getattr(finding, "folded", ())
        also = f" (also: {', '.join(folded)})" if folded else ""
        tables.line(f"  {finding.severity.value:8} {finding.check}: {finding.message}{rows}{also}")
