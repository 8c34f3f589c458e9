"""Options that several commands share. ``--store`` and ``--ledger`` may stand before or after the verb."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from tidegate_flows.settings import Settings

Store = Annotated[str | None, typer.Option("--store", help="The folder that holds everything (TIDEGATE_STORE).")]
LedgerUrl = Annotated[str | None, typer.Option("--ledger", help="The ledger's URL (TIDEGATE_LEDGER).")]
Json = Annotated[bool, typer.Option("--json", help="JSON on stdout, one object a line.")]
By = Annotated[str, typer.Option("--by", help="Who decides this.")]
Reason = Annotated[str, typer.Option("--reason", help="Why.")]
ContractPath = Annotated[str, typer.Argument(metavar="C", help="The contract: path.py[:name].")]


def settings(context: typer.Context, store: str | None, ledger: str | None) -> Settings:
    """The settings in force: options after the verb, else before it, else the environment and files."""
    from tidegate_flows.settings import resolve

    before: dict[str, str | None] = context.obj or {}
    return resolve(store=store or before.get("store"), ledger=ledger or before.get("ledger"))


def emit(data: dict[str, Any]) -> None:
    """One JSON object on a line of stdout."""
    typer.echo(json.dumps(data, ensure_ascii=True, allow_nan=False))
