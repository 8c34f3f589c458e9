"""The store: its folder, and what lies under it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection

from tidegate_contracts.errors import TidegateError
from tidegate_flows.doctor.examined import Examined
from tidegate_flows.ledger_reader import LedgerReader
from tidegate_flows.settings import Settings
from tidegate_flows.stores.mounts import MOUNTS, NETWORK, file_system


def examine(chosen: Settings, mounts: Path = MOUNTS) -> Iterator[Examined]:
    """Look at the store's folder, and at whether its ledger opens.

    Args:
        chosen: The settings in force.
        mounts: A table of mounts as the kernel writes it.
    """
    where = Path(chosen.store.value)
    yield _fitting(where, mounts, is_file=not chosen.ledger.value)
    there = where.is_dir() if chosen.ledger.value else (where / "ledger.db").exists()
    if not there:
        yield Examined("store", "absent", f"nothing at {where} yet", "the first gate or reference build makes it")
        return
    wrong = _written(where)
    if wrong is not None:
        yield wrong
        return
    try:
        LedgerReader(chosen).ask(_nothing)
    except TidegateError as error:
        yield Examined("store", "no", str(error), error.hint)
        return
    yield Examined("store", "ok", str(where))


def _fitting(where: Path, mounts: Path, *, is_file: bool) -> Examined:
    kind = file_system(where, mounts)
    if kind in NETWORK and is_file:
        return Examined(
            "file system",
            "no",
            f"{kind}: a ledger in a file cannot trust its locks there",
            "a local disk for the store, or a Postgres ledger (TIDEGATE_LEDGER)",
        )
    return Examined("file system", "ok", kind or "unknown to this system")


def _written(where: Path) -> Examined | None:
    """What is wrong if a file cannot be written, linked and renamed there, as the gate does; None if nothing is."""
    first, second, third = (where / f".doctor-{uuid4().hex}" for _ in range(3))
    hint = f"give whoever runs the gate the folder {where}, on a disk that is not read-only and knows hard links"
    try:
        with first.open("xb") as file:
            file.write(b"?")
            file.flush()
            os.fsync(file.fileno())
        os.link(first, second)
        second.rename(third)
    except OSError as error:
        return Examined("store", "no", f"{where} cannot be written: {error.strerror}", hint)
    finally:
        for path in (first, second, third):
            path.unlink(missing_ok=True)
    return None


def _nothing(connection: Connection) -> object:
    return connection.exec_driver_sql("SELECT 1").scalar()
