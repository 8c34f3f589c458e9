"""``check --sql``: a contract held against a table where it lies."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from tidegate_flows.cli import tables
from tidegate_flows.cli.exits import PASSED, STOPPED, say
from tidegate_flows.cli.options import emit

if TYPE_CHECKING:
    from tidegate_contracts.contract import Contract
    from tidegate_flows.sql.look import Looked


def check_sql(
    contract: str, sql: str | None, table: str | None, allow_unchecked: bool, data_docs: Path | None, as_json: bool
) -> None:
    """Look at a table once, in its database; nothing is stored and nothing is changed.

    Args:
        contract: ``path.py[:name]``.
        sql: The database's URL, without a password; None for ``TIDEGATE_SQL``.
        table: ``table`` or ``schema.table``.
        allow_unchecked: Whether clauses that the database cannot be asked about may be passed over.
        data_docs: A folder for Great Expectations' own page of the result.
        as_json: Whether to print JSON.

    Raises:
        typer.Exit: Always; with 0 if the table passes, else 1.
        TidegateError: There is no verdict.
    """
    from tidegate_contracts.errors import UsageError
    from tidegate_contracts.load import load_contract
    from tidegate_flows.sql.address import address

    if not table:
        raise UsageError("--sql needs a table", allowed="--table TABLE or SCHEMA.TABLE")
    loaded, where = load_contract(contract), address(sql)
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # read by versions of Great Expectations that send any

    from tidegate_flows.sql.look import check_table

    looked = check_table(where, table, loaded, datetime.now(UTC))
    if data_docs is not None:
        from tidegate_flows.sql import data_docs as pages

        say(f"wrote {pages.write(looked.result, data_docs)}")
    passed = looked.passed(allow_unchecked=allow_unchecked)
    if as_json:
        emit(_document(looked, loaded, passed=passed))
    else:
        _show(looked, loaded, allow_unchecked=allow_unchecked)
    raise typer.Exit(PASSED if passed else STOPPED)


def _document(looked: Looked, contract: Contract, *, passed: bool) -> dict[str, Any]:
    verdict = looked.verdict
    published = verdict.rows - verdict.set_aside if passed else 0
    return {
        "format": 1,
        "dataset": contract.name,
        "batch": looked.table,
        "contract": {"version": contract.version, "sha256": contract.sha256},
        "decision": "publish" if passed else "quarantine",
        "state": None,
        "verified": not looked.unchecked,
        "rows": {"in": verdict.rows, "published": published, "quarantined": verdict.rows - published, "held": 0},
        **verdict.to_dict(),
        "unchecked": [item.to_dict() for item in looked.unchecked],
        "reference": None,
        "run": None,
    }


def _show(looked: Looked, contract: Contract, *, allow_unchecked: bool) -> None:
    verdict, left = looked.verdict, looked.unchecked
    says = (
        "passes" if looked.passed(allow_unchecked=allow_unchecked) else "breaks" if not verdict.passed else "may break"
    )
    tables.line(
        f"{looked.table}: {says} {contract.name} {contract.version}; {verdict.rows} rows looked at in the database"
    )
    for finding in verdict.findings:
        tables.line(f"  {finding.severity.value:8} {finding.check}: {finding.message}")
    for item in left:
        tables.line(
            f"  unchecked {item.check}: {f'column {item.column!r}' if item.column else 'the table'}: {item.rule}"
        )
    if left and verdict.passed and not allow_unchecked:
        count = f"{len(left)} clause{'s' if len(left) > 1 else ''}"
        say(
            f"{count} cannot be asked in this database, so this is no pass; check a file instead, "
            "or say --allow-unchecked"
        )
