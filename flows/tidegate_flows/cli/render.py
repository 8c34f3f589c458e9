"""``render``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from tidegate_flows.cli import tables
from tidegate_flows.cli.exits import say
from tidegate_flows.cli.options import Json, emit

_WEBHOOK = "http://127.0.0.1:9095/"


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
    webhook: Annotated[str, typer.Option("--webhook", metavar="URL", help="What Alertmanager calls.")] = _WEBHOOK,
    heartbeat: Annotated[
        str | None,
        typer.Option("--heartbeat", metavar="URL", help="What it calls with the alert that always fires."),
    ] = None,
    exporter: Annotated[
        str, typer.Option("--exporter", metavar="HOST:PORT", help="Where tidegate serve listens.")
    ] = "127.0.0.1:9464",
    alertmanager: Annotated[
        str, typer.Option("--alertmanager", metavar="HOST:PORT", help="Where Alertmanager listens.")
    ] = "127.0.0.1:9093",
    force: Annotated[bool, typer.Option("--force", help="Write over files that say something else.")] = False,
    as_json: Json = False,
) -> None:
    """Write alert rules with their tests, and what Prometheus and Alertmanager are told."""
    from tidegate_contracts.load import load_contract
    from tidegate_flows import render as rendering

    for option, url in (("--webhook", webhook), ("--heartbeat", heartbeat)):
        _require(option, url, r"https?://[^\s/]+.*", "http://… or https://…")
    for option, address in (("--exporter", exporter), ("--alertmanager", alertmanager)):
        _require(option, address, r"[^\s/:]+:\d{1,5}|\[[^\s/]+\]:\d{1,5}", "HOST:PORT")
    _require("--runbook-url", runbook_url, r"https?://[^\s/#]+[^\s#]*", "http://… or https://…, without #")
    runbook = runbook_url or f"http://{exporter}/runbook"
    addresses = rendering.Addresses(runbook, webhook, heartbeat, exporter, alertmanager)
    files = rendering.render([load_contract(path) for path in contracts or ()], addresses)
    written = rendering.write(files, output, force=force)
    if as_json:
        emit(rendering.summary(files, written, output))
        return
    for name in files:
        tables.line(f"{output / name}{'' if name in written else '  (is there already)'}")
    say(f"alerts go to {webhook}{'' if webhook != _WEBHOOK else ', as no --webhook was given'}; they lead to {runbook}")
    say(f"next: promtool test rules {output}/prometheus/*.test.yaml  (minutes, and it says nothing until its end)")


def _require(option: str, text: str | None, pattern: str, allowed: str) -> None:
    from tidegate_contracts.errors import UsageError

    if text is not None and not re.fullmatch(pattern, text):
        raise UsageError(option, found=repr(text), allowed=allowed)
