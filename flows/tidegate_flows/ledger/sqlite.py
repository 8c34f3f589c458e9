"""SQLite as the ledger's database: one host, one file, every commit on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event

from tidegate_contracts.errors import UsageError
from tidegate_flows.stores.mounts import MOUNTS, NETWORK, file_system


def sqlite_engine(path: Path, mounts: Path = MOUNTS, *, patience: float = 60.0) -> Engine:
    """An engine in WAL mode whose transactions are real.

    The driver's default begins no transaction before the first write, so that read-then-update loses updates
    silently; here every transaction that may write is ``BEGIN IMMEDIATE``, one writer at a time. One with the
    execution option ``reads`` waits for nobody, sees one state, and cannot write.

    Args:
        path: The file.
        mounts: The table of what is mounted where.
        patience: How long whoever has locked the file is waited for, in seconds.

    Raises:
        UsageError: The file would lie on a network file system, where SQLite's locks lock nothing.
    """
    kind = file_system(path.parent, mounts)
    if kind in NETWORK:
        raise UsageError(
            "the ledger would be a SQLite file on a network file system, where its locks cannot be trusted",
            found=f"{path.parent} ({kind})",
            allowed="a local disk, or a Postgres ledger",
            hint="--ledger postgresql://HOST/DATABASE, or TIDEGATE_LEDGER in the environment",
        )
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": patience, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        waits = f"busy_timeout={patience * 1000:.0f}"
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", waits):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get("reads", False)
        connection.exec_driver_sql(f"PRAGMA query_only={'ON' if reads else 'OFF'}")
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine
