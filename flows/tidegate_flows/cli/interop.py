"""``export`` and ``import``: contracts in other tools' words, and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate_flows.cli.exits import say
from tidegate_flows.cli.options import ContractPath, Json, emit

if TYPE_CHECKING:
    from tidegate_contracts.contract import Contract
    from tidegate_contracts.imported import Draft

Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="A file instead of stdout.")]


@dataclass(frozen=True, slots=True)
class Exported:
    """A contract in another tool's words.

    Attributes:
        document: It, as JSON values.
        text: It, as it is written to a file.
        lost: What the other side cannot say, one line each.
    """

    document: dict[str, Any]
    text: str
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What an import was asked for besides the file.

    Attributes:
        name: The name that the contract shall have; None leaves it to the document.
        table: Which of a document's tables; None takes the first.
    """

    name: str | None
    table: str | None


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write a contract down.

    Attributes:
        write: Makes a document of a contract.
        sign: The key by which a document of this format is known; None where it is written only.
        read: Makes the draft of a contract of a document.
    """

    write: Callable[[Contract], Exported]
    sign: str | None = None
    read: Callable[[dict[str, Any], Asked], Draft] | None = None


def _to_odcs(contract: Contract) -> Exported:
    from tidegate_contracts.odcs import text
    from tidegate_contracts.odcs.write import to_odcs

    written = to_odcs(contract)
    return Exported(written.document, text.write(written.document), written.lost)


def _from_odcs(document: dict[str, Any], asked: Asked) -> Draft:
    from tidegate_contracts.odcs.read import from_odcs

    return from_odcs(document, table=asked.table, name=asked.name)


def _to_gx(contract: Contract) -> Exported:
    from tidegate_contracts.expectations import to_suite

    suite, lost = to_suite(contract)
    return Exported(suite, json.dumps(suite, ensure_ascii=False, allow_nan=False, indent=2) + "\n", tuple(lost))


def _from_gx(document: dict[str, Any], asked: Asked) -> Draft:
    from tidegate_contracts.errors import UsageError
    from tidegate_contracts.expectations import from_suite

    if asked.table is not None:
        raise UsageError("a suite speaks of one table", found=f"--object {asked.table!r}")
    return from_suite(document, asked.name)


def _to_json(contract: Contract) -> Exported:
    from tidegate_contracts.identity import strict_json

    document = {"format": 1, "sha256": contract.sha256, **strict_json(contract.describe())}
    return Exported(
        document, json.dumps(document, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=2) + "\n"
    )


FORMATS: Mapping[str, Format] = {
    "odcs": Format(_to_odcs, "apiVersion", _from_odcs),
    "gx": Format(_to_gx, "expectations", _from_gx),
    "json": Format(_to_json),
}
"""All formats by name; another one is another line."""


def export(
    path: ContractPath,
    to: Annotated[str, typer.Option("--to", help=f"The format: {' or '.join(FORMATS)}.")],
    output: Output = None,
    as_json: Json = False,
) -> None:
    """Write a contract down for other tools; what they cannot say is told on stderr."""
    from tidegate_contracts.errors import UsageError
    from tidegate_contracts.load import load_contract

    if to not in FORMATS:
        raise UsageError("no such format", found=repr(to), allowed=", ".join(FORMATS))
    done = FORMATS[to].write(load_contract(path))
    if output is not None:
        _save(output, done.text, over=True)
    if as_json:
        emit({"format": 1, "to": to, "document": done.document, "lost": list(done.lost)})
        return
    _tell(done.lost)
    if output is None:
        typer.echo(done.text, nl=False)


def import_(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A data contract in YAML or JSON.")],
    name: Annotated[str | None, typer.Option("--name", help="The contract's name, if not the document's.")] = None,
    table: Annotated[
        str | None, typer.Option("--object", help="Which schema object of the document; else the first.")
    ] = None,
    output: Output = None,
    as_json: Json = False,
) -> None:
    """Make the Python of a contract of another tool's document; what a contract cannot say is told on stderr."""
    from tidegate_contracts.imported_source import source_of
    from tidegate_contracts.odcs import text

    draft = _read(text.read(_bytes(path)), Asked(name, table))
    source = source_of(draft)
    if output is not None:
        _save(output, source, over=False)
    if as_json:
        emit({"format": 1, "name": draft.arguments["name"], "source": source, "lost": list(draft.lost)})
        return
    _tell(draft.lost)
    if output is None:
        typer.echo(source, nl=False)


def _bytes(path: Path) -> bytes:
    """The bytes of a file, never more than a document may have and one."""
    from tidegate_contracts.errors import UsageError
    from tidegate_contracts.odcs.text import BYTES_MAXIMUM

    if not path.is_file():
        raise UsageError("no such file", found=repr(str(path)), allowed="a data contract in YAML or JSON")
    try:
        with path.open("rb") as file:
            return file.read(BYTES_MAXIMUM + 1)
    except OSError as error:
        raise UsageError("the file cannot be read", found=f"{path}: {error.strerror}") from error


def _read(document: dict[str, Any], asked: Asked) -> Draft:
    """Read a document by the format whose sign it bears."""
    from tidegate_contracts.errors import ContractError
    from tidegate_contracts.odcs.node import shown

    for form in FORMATS.values():
        if form.read is not None and form.sign in document:
            return form.read(document, asked)
    known = ", ".join(f"{name} ({form.sign})" for name, form in FORMATS.items() if form.sign)
    keys = ", ".join(shown(key) for key in [*document][:5])
    raise ContractError("the document is of no format that is known here", found=keys, allowed=f"{known}")


def _save(path: Path, text: str, *, over: bool) -> None:
    """Write a file; a contract that somebody may have worked on is not written over."""
    from tidegate_contracts.errors import UsageError

    try:
        with path.open("w" if over else "x", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(text)
    except FileExistsError as error:
        raise UsageError(
            "the file is there already", found=repr(str(path)), hint="name another, or remove it"
        ) from error
    except OSError as error:
        raise UsageError("the file cannot be written", found=f"{path}: {error.strerror}") from error
    say(f"written to {path}")


def _tell(lost: tuple[str, ...]) -> None:
    for line in lost:
        say(f"lost: {line}")
