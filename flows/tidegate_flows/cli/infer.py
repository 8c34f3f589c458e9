"""``infer``: draft a contract from data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate_flows.cli.exits import say
from tidegate_flows.cli.options import Json, emit

if TYPE_CHECKING:
    from tidegate_contracts.draft import Draft


def infer(
    data: Annotated[list[str], typer.Argument(metavar="DATA…", help="Parquet or CSV files; all are looked at.")],
    name: Annotated[str, typer.Option("--name", help="The dataset, such as daily_orders.")],
    owner: Annotated[str | None, typer.Option("--owner", help="Who answers for the dataset.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file, else to stdout.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
    as_json: Json = False,
) -> None:
    """Draft a contract from data that somebody trusts; each guess is marked, for a person to keep or strike out."""
    from tidegate_contracts.arguments import parse
    from tidegate_contracts.draft_source import source_of
    from tidegate_flows.infer import draft

    if owner is not None:
        parse("owner", owner)
    if output is not None:
        _must_be_free(output, force=force)
    drafted = draft(data, name)
    source = source_of(drafted, name, owner=owner)
    if output is not None:
        _write(output, source)
    if as_json:
        emit(_facts(drafted, name, source, output))
    elif output is None:
        typer.echo(source, nl=False)
    _say(drafted, output, data)


def _must_be_free(output: Path, *, force: bool) -> None:
    from tidegate_contracts.errors import UsageError

    if output.suffix != ".py":
        raise UsageError("--output", found=repr(str(output)), allowed="a file that ends in .py")
    if output.is_dir() or (output.exists() and not force):
        raise UsageError(f"{output} is there already", hint="name another file, or replace this one with --force")
    if not output.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {output.absolute().parent}", hint="make it first")


def _write(output: Path, source: str) -> None:
    from tidegate_contracts.errors import StoreError
    from tidegate_flows.stores.local import replace_durably

    try:
        replace_durably(output, source.encode())
    except OSError as error:
        raise StoreError(f"{output} cannot be written", found=error.strerror) from error


def _facts(drafted: Draft, name: str, source: str, output: Path | None) -> dict[str, Any]:
    return {
        "format": 1,
        "dataset": name,
        "files": drafted.files,
        "rows": drafted.rows,
        "columns": [
            {
                "column": column.name,
                "type": column.dtype,
                "nullable": column.nullable,
                "unique": column.unique,
                "personal": column.personal,
                "outside": column.outside,
                "guesses": list(column.notes),
            }
            for column in drafted.columns
        ],
        "output": None if output is None else str(output),
        "source": source,
    }


def _say(drafted: Draft, output: Path | None, data: list[str]) -> None:
    files = "1 file" if drafted.files == 1 else f"{drafted.files} files"
    say(f"{len(drafted.columns)} columns from {drafted.rows} rows in {files}; {drafted.guesses} guesses to look at")
    if drafted.outside:
        names = ", ".join(repr(column.name) for column in drafted.columns if column.outside)
        say(f"{drafted.outside} values look like faults and would be set aside: see the guesses of {names}")
    if output is not None:
        say(f"next:    tidegate check {output} {data[0]}")
