"""What is known of a delivery besides its rows: times, other tables, and people who opted out."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

from tidegate_contracts.circumstances import Circumstances
from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import ContractError, StoreError, TidegateError
from tidegate_contracts.foreign_key import ForeignKey
from tidegate_contracts.suppression import Suppression
from tidegate_flows import intake
from tidegate_flows.intake import UnreadableError
from tidegate_flows.intake.regular import opened_anywhere
from tidegate_flows.signals import NOBODY, Answers

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


def gather(
    contract: Contract,
    *,
    now: datetime | None = None,
    arrived: datetime | None = None,
    upstream: Answers = NOBODY,
    delivered: int | None = None,
) -> Circumstances:
    """Read what a contract refers to.

    Args:
        contract: Says which tables and which list; their paths are relative to its own file, or to the working folder
            where it has none.
        now: The time at which ages are counted; None where nobody asks how old the rows are.
        arrived: When the batch came; None where nothing arrived.
        upstream: What :func:`tidegate_flows.signals.ask_upstream` found.
        delivered: How many rows came.

    Raises:
        StoreError: A table or the list cannot be read: no verdict, never a pass.
        ContractError: The list is not what the contract says it is.
    """
    folder = _folder_of(contract)
    return Circumstances(
        now=now,
        arrived=arrived,
        tables=MappingProxyType({key: _table(key, folder, contract) for key in contract.references}),
        suppressed=_suppressed(contract.suppression, folder) if contract.suppression is not None else None,
        upstream=upstream,
        delivered=delivered,
    )


def _folder_of(contract: Contract) -> Path:
    """The folder of the contract's own file; its path ends in ``:name``."""
    if contract.path is None:
        return Path()
    file, colon, name = contract.path.rpartition(":")
    return Path(file if colon and name.isidentifier() else contract.path).parent


def _table(key: ForeignKey, folder: Path, contract: Contract) -> Any:
    """The key columns of another table, as they stand in its file."""
    what = f"the table {key.table!r}, to which contract {contract.name!r} refers, cannot be read"
    with TemporaryDirectory(prefix="tidegate-") as place:
        try:
            table = intake.decode(intake.stage(folder / key.table, Path(place)), contract).delivered
        except UnreadableError as error:
            raise StoreError(what, found=str(error)) from error
        except TidegateError as error:
            raise StoreError(what, found=error.found or error.what, allowed="a parquet or CSV file") from error
    lacking = [name for name in key.key if name not in table.column_names]
    if lacking:
        raise StoreError(what, found=f"no column {', '.join(lacking)}", allowed=", ".join(table.column_names))
    return table.select(list(dict.fromkeys(key.key)))


def _suppressed(suppression: Suppression, folder: Path) -> frozenset[str]:
    path = folder / suppression.file
    try:
        with opened_anywhere(path) as file:
            lines = file.read().decode("utf-8-sig").split("\n")  # splitlines() would cut within names, at U+2028
    except OSError as error:
        raise StoreError(f"the suppression list {suppression.file!r} cannot be read", found=error.strerror) from error
    except UnicodeDecodeError as error:
        raise StoreError(f"the suppression list {suppression.file!r} is no UTF-8 text") from error
    if not suppression.hashed:
        return frozenset(line.strip() for line in lines if line.strip())
    strange = next((number for number, line in enumerate(lines, 1) if not _is_hash(line)), None)
    if strange is not None:  # a list of plain values would match nobody, in silence
        raise ContractError(
            f"the suppression list {suppression.file!r} does not hold hashes",
            found=f"line {strange} is none",
            allowed="one sha256 in hex a line",
            hint="say Suppression(…, hashed=False) if its lines are the values themselves",
        )
    return frozenset(line.strip().lower() for line in lines if line.strip())


def _is_hash(line: str) -> bool:
    return not line.strip() or _SHA256.fullmatch(line.strip()) is not None
