"""``serve`` and ``metrics``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidegate_flows.cli.exits import say
from tidegate_flows.cli.options import LedgerUrl, Store, settings

if TYPE_CHECKING:
    from tidegate_flows.settings import Settings


def serve(
    context: typer.Context,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port; 0 for any that is free.")] = 9464,
    host: Annotated[str, typer.Option("--host", help="The address; only this machine unless told.")] = "127.0.0.1",
    allow_actions: Annotated[
        bool, typer.Option("--allow-actions", help="Let whoever knows the token act on the status page.")
    ] = False,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="The token's file, made if it is not there (TIDEGATE_TOKEN).")
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option("--allow-host", metavar="NAME", help="A name to answer under as well, such as that of a proxy."),
    ] = None,
    behind_tls: Annotated[
        bool, typer.Option("--behind-tls", help="Browsers come by HTTPS, through a proxy: cookies are Secure.")
    ] = False,
    series: Annotated[
        int | None, typer.Option("--series", min=1, help="The most series of one metric and dataset; default 2000.")
    ] = None,
    store: Store = None,
    ledger: LedgerUrl = None,
) -> None:
    """Serve the status page, /metrics for Prometheus, /healthz and /readyz until stopped."""
    import signal
    import threading

    from tidegate_contracts.errors import UsageError
    from tidegate_flows import serving
    from tidegate_flows.asked_host import hosts_of
    from tidegate_monitors.metrics import SERIES_MAXIMUM

    if token_file is not None and not allow_actions:
        raise UsageError("--token-file without --allow-actions", hint="a page that only reads needs no token")
    chosen = settings(context, store, ledger)
    reason = serving.not_ready(chosen)
    with serving.listen(host, port) as listening:
        address, port = listening.getsockname()[:2]
        token = _token(token_file, address, tls=behind_tls) if allow_actions else None
        hosts = hosts_of(address, host, allow_host or ())
        app = serving.application(chosen, token=token, series=series or SERIES_MAXIMUM, hosts=hosts, tls=behind_tls)
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        where = f"[{host}]" if ":" in host else host
        if reason is not None:
            say(f"warning: nothing can be read yet: {reason}; pages and /readyz say 503 until it can")
        say(f"metrics on http://{where}:{port}/metrics, status page at /; Ctrl-C stops")
        serving.serve(app, listening, stop)
    say("stopped")


def _token(file: Path | None, address: str, *, tls: bool) -> str:
    """The token of this server; a new one is shown, once."""
    from tidegate_flows.action_token import action_token
    from tidegate_flows.asked_host import is_loopback

    token = action_token(file)
    if token.origin == "new":
        say(f"the token for acting on the status page, until this server stops: {token.value}")
    else:
        say(
            f"the token for acting on the status page {'was written to' if token.made else 'is that of'} {token.origin}"
        )
    if not tls and not is_loopback(address):
        say("warning: the token travels in clear text; put a proxy with TLS before this address, and say --behind-tls")
    return token.value


def metrics(
    context: typer.Context,
    textfile: Annotated[
        Path | None, typer.Option("--textfile", help="Write to this file by one rename; else stdout.")
    ] = None,
    push: Annotated[
        str | None, typer.Option("--push", metavar="URL", help="Push what the last runs looked like to a Pushgateway.")
    ] = None,
    job: Annotated[str, typer.Option("--job", help="The job that is pushed under.")] = "tidegate",
    store: Store = None,
    ledger: LedgerUrl = None,
) -> None:
    """All metrics once, for the node exporter's textfile collector, a Pushgateway, or a look.

    A Pushgateway that does not take them is a warning, and no failure: what was gated was gated.
    """
    from tidegate_flows.textfile import once, write_textfile

    chosen = settings(context, store, ledger)
    if textfile is not None:
        write_textfile(chosen, textfile)
        say(f"written to {textfile}")
    if push is not None:
        _push(chosen, push, job)
    if textfile is None and push is None:
        typer.echo(once(chosen).decode(), nl=False)


def _push(chosen: Settings, url: str, job: str) -> None:
    from tidegate_flows.pushing import push

    done = push(chosen, url, job=job)
    datasets = f"{done.datasets} {'dataset' if done.datasets == 1 else 'datasets'}"
    if done.refused is not None:
        took = f"took the metrics of only {done.taken} of" if done.taken else "did not take the metrics of"
        say(f"warning: {url} {took} {datasets}: {done.refused}")
        return
    say(f"pushed {datasets} to {url}")
