"""``check-split``."""

from __future__ import annotations

from typing import Annotated

import typer

from tidegate_flows.cli import tables
from tidegate_flows.cli.exits import PASSED, STOPPED
from tidegate_flows.cli.options import ContractPath, Json, LedgerUrl, Store, emit, settings


def check_split(
    context: typer.Context,
    contract: ContractPath,
    train: Annotated[
        str,
        typer.Argument(
            metavar="TRAIN", help="The rows that a model learns from, with labels: a file, or a folder of part files."
        ),
    ],
    test: Annotated[str, typer.Argument(metavar="TEST", help="The rows that it is judged by, with labels: likewise.")],
    expect_test: Annotated[
        str | None, typer.Option("--expect-test", metavar="SHA", help="Refuse another TEST than this one.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the random folds in which categories are read.")] = 0,
    looks: Annotated[
        int | None,
        typer.Option(
            "--looks", min=1, metavar="N", help="Count in the ledger how many TRAINs meet TEST; N are allowed."
        ),
    ] = None,
    store: Store = None,
    ledger: LedgerUrl = None,
    as_json: Json = False,
) -> None:
    """Look for what makes a split lie: copies, leaks, overlap in time, labels that cannot be trusted."""
    from tidegate_flows import split

    chosen = settings(context, store, ledger)
    report = split.check_split(train, test, contract, expect_test=expect_test, seed=seed, looks=looks, store=chosen)
    if as_json:
        emit(report.to_dict())
    else:
        word = "passes" if report.passed else "does not pass"
        tables.line(
            f"{report.contract.name} {report.contract.version}: the split {word}; "
            f"TRAIN {report.train.rows} rows ({report.train.labelled} labelled), "
            f"TEST {report.test.rows} rows ({report.test.labelled} labelled)"
        )
        if report.test.sha256 is not None:
            tables.line(f"  TEST is {report.test.sha256}")
        if report.looks is not None:
            tables.line(f"  TEST was looked at with {report.looks} of {looks} TRAINs")
        for finding in report.findings:
            where = f" [{finding.slice}]" if finding.kind != "violation" and finding.slice else ""
            tables.line(f"  {finding.severity.value:8} {finding.check}: {finding.message}{where}")
    raise typer.Exit(PASSED if report.passed else STOPPED)
