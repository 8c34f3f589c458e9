"""``render``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from tidegate_flows.alert_rules.addresses import ALERTMANAGER, EXPORTER, WEBHOOK, Addresses
from tidegate_flows.cli import tables
from tidegate_flows.cli.exits import say
from tidegate_flows.cli.options import Json, emit

_HOST = r"[^\s/:{}\"'`\\]+"


def render(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="The folder.")],
    contracts: Annotated[
        list[str] | None, typer.Argument(metavar="C…", help="Contracts: path.py[:name]; without any, rules for all.")
    ] = None,
    runbook_url: Annotated[
        str | None,
        typer.Option(
            "--runbook-url",
            metavar="URL",
            help="The runbook, to which an alert's name is added as an anchor; else the exporter's own page.",
        ),
    ] = None,
    webhook: Annotated[str, typer.Option("--webhook", metavar="URL", help="What Alertmanager calls.")] = WEBHOOK,
    heartbeat: Annotated[
        str | None,
        typer.Option(
            "--heartbeat", metavar="URL", help="What it calls with the alert that always fires; else nothing."
        ),
    ] = None,
    exporter: Annotated[
        str, typer.Option("--exporter", metavar="HOST:PORT", help="Where tidegate serve listens.")
    ] = EXPORTER,
    alertmanager: Annotated[
        str, typer.Option("--alertmanager", metavar="HOST:PORT", help="Where Alertmanager listens.")
    ] = ALERTMANAGER,
    force: Annotated[bool, typer.Option("--force", help="Write over files that say something else.")] = False,
    as_json: Json = False,
) -> None:
    """Write alert rules with their tests, and what Prometheus and Alertmanager are told."""
    from tidegate_contracts.load import load_contract
    from tidegate_flows import render as rendering

    for option, url in (("--webhook", webhook), ("--heartbeat", heartbeat)):
        _require(option, url, r"https?://[^\s/]+.*", "http://… or https://…")
    for option, address in (("--exporter", exporter), ("--alertmanager", alertmanager)):
        _require(option, address, rf"{_HOST}:\d{{1,5}}|\[[\w:.%-]+\]:\d{{1,5}}", "HOST:PORT")
    allowed = "http://… or https://…, without #, quotes, backslashes and {{"
    _require("--runbook-url", runbook_url, r"https?://(?!.*\{\{)[^\s/#\"'`\\]+[^\s#\"'`\\]*", allowed)
    addresses = Addresses(runbook_url, webhook, heartbeat, exporter, alertmanager)
    files = rendering.render([load_contract(path) for path in contracts or ()], addresses)
    written = rendering.write(files, output, force=force)
    if heartbeat is None:
        say("TidegateWatchdog reaches nobody: name --heartbeat URL, a service that wakes you when its calls stop")
    if as_json:
        emit(rendering.summary(files, written, output))
        return
    for name in files:
        tables.line(f"{output / name}{'' if name in written else '  (is there already)'}")
    unsaid = ", as no --webhook was given" if webhook == WEBHOOK else ""
    say(f"alerts go to {webhook}{unsaid}; they lead to {addresses.leads_to}")
    say(f"next: promtool test rules {output}/prometheus/*.test.yaml  (minutes, and it says nothing until its end)")


def _require(option: str, text: str | None, pattern: str, allowed: str) -> None:
    from tidegate_contracts.errors import UsageError

    if text is not None and not re.fullmatch(pattern, text):
        raise UsageError(option, found=repr(text), allowed=allowed)
