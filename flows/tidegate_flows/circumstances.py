"""What is known of a delivery besides its rows: times, other tables, people who opted out, and what it depends on."""

from __future__ import annotations

import errno
import json
import os
import re
import stat
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any, BinaryIO

from tidegate_contracts.circumstances import Circumstances
from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import ContractError, StoreError, TidegateError, UsageError
from tidegate_contracts.foreign_key import ForeignKey
from tidegate_contracts.suppression import Suppression
from tidegate_contracts.upstream import Upstream
from tidegate_flows import intake
from tidegate_flows.intake import UnreadableError

Answers = Mapping[str, int | str | None]

NOBODY: Answers = MappingProxyType({})
"""No upstream is asked."""

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_MANIFEST_BYTES_MAXIMUM = 1 << 20


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
        upstream: What :func:`ask_upstream` found.
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


def ask_upstream(contract: Contract, delivery: Any, batch: str) -> Answers:
    """Look at the markers and manifests that lie beside a delivery.

    Args:
        contract: Says which.
        delivery: The path that was given, or a frame. In a folder of part files the signals lie within.
        batch: The batch's id, for ``{batch}`` in their names.

    Raises:
        UsageError: The delivery has no folder to look in; silence would read as ready.
        StoreError: A signal cannot be read.
    """
    signalling = [item for item in contract.upstream if item.has_signal]
    if not signalling:
        return NOBODY
    if not isinstance(delivery, str | Path) or "://" in str(delivery):
        raise UsageError(
            f"contract {contract.name!r} waits for {signalling[0].name!r}, whose signal lies beside the delivery",
            found="a delivery without a folder",
            allowed="the path of a file",
            hint="write the rows to a file beside its marker or manifest, and give its path",
        )
    path = Path(delivery)
    folder = path if path.is_dir() else path.parent
    return MappingProxyType({item.name: _answer(item, folder, batch) for item in signalling})


def waiting(contract: Contract, findings: Any) -> Answers:
    """What upstream answered when a batch arrived, from the findings of that time: its bytes are still the same."""
    told = "it was not when the batch arrived; gate the delivery again once it is, or release the batch"
    refused = [item.rule for item in findings if item.check == "incomplete_upstream"]
    names = sorted((item.name for item in contract.upstream), key=len, reverse=True)
    # a rule begins with its upstream's name; of "orders" and "orders eu" it means the longer, if it begins so
    meant = (next((name for name in names if rule.startswith(f"{name} ")), None) for rule in refused)
    return MappingProxyType({name: told for name in meant if name is not None})


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
        with _opened(path) as file:
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


def _answer(upstream: Upstream, folder: Path, batch: str) -> int | str | None:
    """The rows that a manifest states, None where there is none, or why the upstream is not ready."""
    for kind, name in (("marker", upstream.marker), ("manifest", upstream.manifest)):
        if name is not None and not _is_there(folder / name.replace("{batch}", batch)):
            return f"its {kind} {name.replace('{batch}', batch)} is not there"
    if upstream.manifest is None:
        return None
    return _rows(folder / upstream.manifest.replace("{batch}", batch), upstream.rows)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError) as error:
        raise StoreError(f"{path.name} cannot be looked for", found=str(error)) from error


def _opened(path: Path) -> BinaryIO:
    """A regular file: a FIFO or a device may never end, and who waits for it has no verdict."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    file = os.fdopen(descriptor, "rb")
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return file
    file.close()
    raise OSError(errno.EINVAL, "it is no regular file", str(path))


def _rows(path: Path, key: str) -> int | str:
    try:
        with _opened(path) as file:
            content = file.read(_MANIFEST_BYTES_MAXIMUM + 1)
    except OSError as error:
        raise StoreError(f"the manifest {path.name} cannot be read", found=error.strerror) from error
    try:
        manifest = json.loads(content) if len(content) <= _MANIFEST_BYTES_MAXIMUM else None
    except (ValueError, RecursionError):  # half-written, or not meant as one
        return f"its manifest {path.name} is no JSON"
    rows = manifest.get(key) if isinstance(manifest, dict) else None
    if not isinstance(rows, int) or isinstance(rows, bool) or rows < 0:
        return f"its manifest {path.name} states no number of rows under {key!r}"
    return rows
