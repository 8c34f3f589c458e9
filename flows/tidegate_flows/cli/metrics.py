"""``serve`` and ``metrics``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tidegate_flows.cli.exits import say
from tidegate_flows.cli.options import LedgerUrl, Store, settings


def serve(
    context: typer.Context,
    port: Annotated[int, typer.Option("--port", help="The port.")] = 9464,
    host: Annotated[str, typer.Option("--host", help="The address; only this machine unless told.")] = "127.0.0.1",
    store: Store = None,
    ledger: LedgerUrl = None,
) -> None:
    """Serve /metrics for Prometheus until stopped."""
    import signal
    import threading

    from tidegate_flows import exporter

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    say(f"metrics on http://{host}:{port}/metrics; Ctrl-C stops")
    exporter.serve(settings(context, store, ledger), host=host, port=port, stop=stop)
    say("stopped")


def metrics(
    context: typer.Context,
    textfile: Annotated[
        Path | None, typer.Option("--textfile", help="Write to this file by one rename; else stdout.")
    ] = None,
    store: Store = None,
    ledger: LedgerUrl = None,
) -> None:
    """All metrics once, for the node exporter's textfile collector or a look."""
    from prometheus_client import generate_latest

    from tidegate_flows import exporter
    from tidegate_flows.place import at

    chosen = settings(context, store, ledger)
    if textfile is not None:
        exporter.write_textfile(chosen, textfile)
        say(f"written to {textfile}")
        return
    with at(chosen, must_exist=True):
        pass
    typer.echo(generate_latest(exporter.registry(chosen)).decode(), nl=False)
