"""The ledger: the durable record of what was decided, committed before anything is published."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, insert, select
from sqlalchemy.exc import SQLAlchemyError

from tidegate_contracts.errors import StoreError, UsageError
from tidegate_flows.ledger.schema import FORMAT, ledger_format, metadata
from tidegate_flows.ledger.sqlite import sqlite_engine


@dataclass(frozen=True, slots=True)
class Ledger:
    """An open ledger.

    Attributes:
        engine: Its database.
        where: Its place, for messages; never with a password.
    """

    engine: Engine
    where: str

    @classmethod
    def open(cls, url: str, root: Path) -> Ledger:
        """The ledger at a URL, or ``ledger.db`` in the store where the URL is empty; made if it is not there.

        Raises:
            UsageError: The URL names no database that we know.
            StoreError: It cannot be opened, or is of a newer format.
        """
        if url:
            kind = url.partition(":")[0]
            raise UsageError("ledger", found=f"{kind}://…", allowed="none: the ledger is ledger.db in the store")
        ledger = cls(sqlite_engine(root / "ledger.db"), str(root / "ledger.db"))
        with ledger.begin() as connection:
            metadata.create_all(connection)
            version = connection.scalar(select(ledger_format.c.version))
            if version is None:
                connection.execute(insert(ledger_format).values(version=FORMAT))
            elif version != FORMAT:
                newer = version > FORMAT
                raise StoreError(
                    f"the ledger was written by {'a newer' if newer else 'an older'} tidegate",
                    found=f"format {version}",
                    allowed=f"format {FORMAT}",
                    hint="upgrade tidegate" if newer else "an unreleased version wrote it: begin a new store",
                )
        return ledger

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction; everything in it is committed at its end, or nothing.

        Raises:
            StoreError: The database refused.
        """
        try:
            with self.engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise StoreError(
                f"the ledger {self.where} cannot be used",
                found=reason,
                hint="nothing was published; run the same command again when it can",
            ) from error

    def close(self) -> None:
        """Give its connections back."""
        self.engine.dispose()
