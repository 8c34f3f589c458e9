"""The command tree."""

from __future__ import annotations

import logging

import typer

from tidegate_flows.cli import (
    audit,
    breaker,
    catalogue,
    check_split,
    demo,
    diff,
    doctor,
    gate,
    infer,
    init,
    interop,
    labels,
    lint,
    metrics,
    quarantine,
    reference,
    render,
    report,
    watch,
)
from tidegate_flows.cli.exits import messages_as_logs
from tidegate_flows.cli.options import LedgerUrl, Store
from tidegate_flows.plain import plain

app = typer.Typer(
    name="tidegate",
    help="Data contracts, drift alarms with a stated false-alarm rate, and a breaker that halts on violation.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class _Plain(logging.Formatter):
    """Log lines in which no name from outside can make another line, or move the cursor."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the standard library's name
        return plain(super().formatMessage(record))


def _version(wanted: bool) -> None:
    if wanted:
        from tidegate_flows.version import VERSION

        typer.echo(f"tidegate {VERSION}")
        raise typer.Exit


@app.callback()
def _common(
    context: typer.Context,
    store: Store = None,
    ledger: LedgerUrl = None,
    _show_version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Say the version."),
    verbose: bool = typer.Option(False, "--verbose", "-v", help="Log each decision to stderr."),
    log_json: bool = typer.Option(
        False, "--log-json", envvar="TIDEGATE_LOG_JSON", help="Logs as JSON on stderr, one object a line."
    ),
) -> None:
    context.obj = {"store": store, "ledger": ledger}
    if log_json:
        messages_as_logs(ledger or "", verbose=verbose)
        return
    handler = logging.StreamHandler()
    handler.setFormatter(_Plain("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, handlers=[handler])


app.command("demo")(demo.demo)
app.command("init")(init.init)
app.command("infer")(infer.infer)
app.command("lint")(lint.lint)
app.command("diff")(diff.diff)
app.command("export")(interop.export)
app.command("import")(interop.import_)
app.command("check-split")(check_split.check_split)
app.command("check")(gate.check)
app.command("gate")(gate.gate)
app.command("labels")(labels.labels)
app.command("watch")(watch.watch)
app.command("recover")(gate.recover)
app.command("serve")(metrics.serve)
app.command("metrics")(metrics.metrics)
app.command("render")(render.render)
app.command("report")(report.report)
app.command("catalogue")(catalogue.catalogue)
app.command("doctor")(doctor.doctor)
app.add_typer(reference.app, name="reference")
app.add_typer(breaker.app, name="breaker")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(audit.app, name="audit")
