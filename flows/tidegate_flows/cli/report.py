"""``report``."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidegate_flows.cli import tables
from tidegate_flows.cli.exits import PASSED, STOPPED, say
from tidegate_flows.cli.options import ContractPath, Json, LedgerUrl, Store, emit, settings

if TYPE_CHECKING:
    from tidegate_contracts.contract import Contract
    from tidegate_flows.place import Place
    from tidegate_flows.report.written import Wanted, Written
    from tidegate_flows.settings import Settings
    from tidegate_monitors.reference import Reference


def report(
    context: typer.Context,
    contract: ContractPath,
    batch: Annotated[str, typer.Argument(help="The id of a batch that was gated; or a file, a folder or a URL.")],
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="html|md|both",
            help="A page, Markdown, or both; else Markdown into a FILE.md, and a page into any other.",
        ),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE|DIR",
            help="Where to; - for Markdown on stdout. Else STORE/DATASET/reports/BATCH.html, or here for a file.",
        ),
    ] = None,
    evidently: Annotated[
        bool,
        typer.Option("--evidently", help="Beside it Evidently's report on a sample; it shows values of columns."),
    ] = False,
    reference: Annotated[
        str | None,
        typer.Option("--reference", help="For a file: a reference's file or hash, if not the one in force."),
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="For a file: when its age is counted; see tidegate check.")
    ] = None,
    store: Store = None,
    ledger: LedgerUrl = None,
    as_json: Json = False,
) -> None:
    """Write what was decided of a batch, why, and what to do, for people: a page, or Markdown for mails and logs."""
    from tidegate_contracts.load import load_contract

    loaded, found = load_contract(contract), settings(context, store, ledger)
    wanted = _wanted(form, out, found, contract, evidently=evidently, as_json=as_json)
    with ExitStack() as stack:
        place = _place(stack, found)
        passed = True
        if place is not None and _is_known(place, loaded, batch):
            _refuse_options(reference, as_of)
            from tidegate_flows.report.written import write_report

            written = write_report(place, loaded, batch, wanted)
        else:
            written, passed = _look(place, loaded, batch, wanted, reference, as_of)
        if written.view.stored and written.view.batch != batch:
            say(f"{batch} stands as {written.view.batch}, revision {written.view.run.revision}; this is its report")
    _show(written, to_stdout=out == "-", as_json=as_json)
    raise typer.Exit(PASSED if passed else STOPPED)


def _wanted(
    form: str | None, out: str | None, found: Settings, contract: str, *, evidently: bool, as_json: bool
) -> Wanted:
    from tidegate_contracts.errors import UsageError
    from tidegate_flows.pasted import named
    from tidegate_flows.report.written import FORMATS, Wanted

    if form is None:
        form = "md" if out is not None and Path(out).suffix.lower() == ".md" and not Path(out).is_dir() else "html"
    if form not in FORMATS:
        raise UsageError("--format", found=repr(form), allowed=", ".join(FORMATS))
    if out == "-" and (form != "md" or evidently or as_json):
        raise UsageError("-o -", found="more than Markdown", allowed="--format md, without --evidently and --json")
    where = None if out is None else Path(out)
    return Wanted(form, where, evidently, named(found), contract, to_file=out != "-")


def _place(stack: ExitStack, found: Settings) -> Place | None:
    """The store, if there is one."""
    from tidegate_contracts.errors import UsageError
    from tidegate_flows.place import at

    try:
        return stack.enter_context(at(found, read_only=True))
    except UsageError:
        if found.store.origin != "default" or found.ledger.value:
            raise
        return None


def _is_known(place: Place, contract: Contract, batch: str) -> bool:
    from tidegate_flows.report.remembered import speaking

    return speaking(place, contract.name, batch) is not None


def _refuse_options(reference: str | None, as_of: str | None) -> None:
    from tidegate_contracts.errors import UsageError

    if reference is not None or as_of is not None:
        raise UsageError(
            "--reference and --as-of are for files",
            found="the id of a batch that was gated",
            allowed="neither: its verdict stands as it was given",
        )


def _look(
    place: Place | None, contract: Contract, batch: str, wanted: Wanted, named: str | None, as_of: str | None
) -> tuple[Written, bool]:
    """The report of a file, held against the reference that is named, else the one in force."""
    from tidegate_contracts.errors import UsageError
    from tidegate_flows import reference
    from tidegate_flows.report.written import write_look

    if "://" not in batch and not Path(batch).exists():
        from tidegate_flows.report.remembered import became

        none = "the ledger has none, and there is no such file"
        since = became(place, contract.name, batch) if place is not None else None
        raise UsageError(
            f"no batch {batch!r} of {contract.name!r}",
            found=(since or none) if place is not None else "there is neither a store nor such a file",
            allowed="the id of a batch that was gated, a file, a folder of part files, or a URL",
        )
    against: Reference | None = None
    if named is not None and (Path(named).is_file() or named.endswith(".json")):
        against = reference.read(Path(named))
    elif named is not None:
        if place is None:
            raise UsageError("no such reference file, and no store here", found=named)
        against = reference.load(place, contract.name, named)
    elif place is not None:
        against = reference.approved(place, contract)
    return write_look(contract, batch, against, wanted, place=place, as_of=as_of)


def _show(written: Written, *, to_stdout: bool, as_json: bool) -> None:
    from tidegate_flows.pages.verdict_words import headline

    for trouble in written.troubles:
        say(f"warning: {trouble}")
    run = written.view.run
    if as_json:
        emit(
            {
                "format": 1,
                "dataset": run.dataset,
                "batch": run.batch,
                "key": run.key,
                "run": run.id or None,
                "decision": run.decision.value,
                "would": run.would,
                "files": [str(path) for path in written.files],
                "evidently": str(written.evidently) if written.evidently is not None else None,
                "troubles": list(written.troubles),
            }
        )
    elif to_stdout:
        from tidegate_flows.pages.verdict_markdown import verdict_markdown

        typer.echo(verdict_markdown(written.view), nl=False)
    else:
        name = written.view.batch if written.view.stored else run.batch
        tables.line(f"{run.dataset}/{name}: {headline(written.view)}")
        for path in (*written.files, *((written.evidently,) if written.evidently is not None else ())):
            tables.line(f"  {path}")
