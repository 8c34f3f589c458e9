"""``lint``: what is wrong with contracts before any data comes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate_flows.cli import tables
from tidegate_flows.cli.exits import PASSED, STOPPED
from tidegate_flows.cli.options import Json, emit

if TYPE_CHECKING:
    from tidegate_contracts.lint import Linted


def lint(
    contracts: Annotated[list[str], typer.Argument(metavar="C…", help="Contracts, each path.py[:name].")],
    as_json: Json = False,
) -> None:
    """Say what contracts leave out or get wrong; several are read beside each other."""
    from tidegate_contracts.lint import lint as look_at
    from tidegate_contracts.load import load_contract

    found = look_at([load_contract(contract) for contract in contracts], datetime.now(UTC).date())
    for linted in found:
        if as_json:
            emit(_json(linted))
        else:
            _show(linted)
    raise typer.Exit(STOPPED if any(linted.critical for linted in found) else PASSED)


def _json(linted: Linted) -> dict[str, Any]:
    contract = linted.contract
    return {
        "format": 1,
        "dataset": contract.name,
        "contract": {"version": contract.version, "sha256": contract.sha256},
        "findings": [finding.to_dict() for finding in linted.findings],
        "waived": [{"check": check, "reason": reason} for check, reason in linted.waived.items()],
    }


def _show(linted: Linted) -> None:
    count, contract = len(linted.findings), linted.contract
    said = "1 finding" if count == 1 else f"{count or 'no'} findings"
    tables.line(f"{contract.name} {contract.version}: {said}")
    for finding in linted.findings:
        tables.line(f"  {finding.severity.value:8} {finding.check}: {finding.message}")
    for check, reason in linted.waived.items():
        tables.line(f"  {'waived':8} {check}: {reason}")
