"""The ledger: the durable record of what was decided, committed before anything is published."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, insert, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from tidegate_contracts.errors import StoreError, UsageError
from tidegate_flows.ledger.postgres import Patience, alone_with_files, postgres_engine
from tidegate_flows.ledger.schema import FORMAT, ledger_format, metadata
from tidegate_flows.ledger.sqlite import sqlite_engine
from tidegate_flows.ledger.store_clock import StoreClock
from tidegate_flows.sql.address import Address

_ALLOWED = "postgresql://HOST/DATABASE, or none: the ledger is ledger.db in the store"
_DRIVERS = ("postgres", "postgresql", "postgresql+psycopg")
_LATER = "nothing was published that it does not know of; run the same command again when it can"
_UNKNOWN = "whether it still took the decision is not known: run the same command again to see"


@dataclass(frozen=True, slots=True)
class Ledger:
    """An open ledger.

    Attributes:
        engine: Its database.
        where: Its place, for messages; never with a password.
        clock: The database's clock, where several hosts share it; None where the machine's will do.
        address: Its URL where it has one; never shown.
        patience: How long it is waited for, where it is not a file.
    """

    engine: Engine
    where: str
    clock: Callable[[], datetime] | None = None
    address: Address | None = None
    patience: Patience | None = None

    @classmethod
    def open(cls, url: str, root: Path, *, must_exist: bool = False, patience: Patience | None = None) -> Ledger:
        """The ledger at a URL, or ``ledger.db`` in the store where the URL is empty; made if it is not there.

        Args:
            url: Of a Postgres database; empty for a file.
            root: The store's folder.
            must_exist: Refuse to make a new one.
            patience: How long it is waited for; of a file only for whoever has locked it.

        Raises:
            UsageError: The URL names no database that we know, its driver is not installed, the file would lie on a
                network file system, or there is none and it must exist.
            StoreError: It cannot be opened, or is of another format.
        """
        if url:
            where, clock = address_of(url), StoreClock()
            ledger = cls(postgres_engine(where, clock, patience), shown(where), clock, where, patience)
        else:
            path = root / "ledger.db"
            if must_exist and not path.is_file():
                raise missing(str(path))
            ledger = cls(sqlite_engine(path, patience=(patience or Patience()).lock), str(path))
        try:
            ledger._prepare(must_exist)
        except BaseException:
            ledger.close()
            raise
        return ledger

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction that may write, alone; everything in it is committed at its end, or nothing.

        Raises:
            StoreError: The database refused, or cannot be reached.
        """
        hint = _LATER
        try:
            with self.engine.begin() as connection:
                yield connection
                hint = _UNKNOWN if self.address is not None else _LATER
        except SQLAlchemyError as error:
            raise self._unusable(error, hint) from error

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One transaction that only reads: it sees one state, waits for nobody and keeps nobody waiting.

        Raises:
            StoreError: The database refused, or cannot be reached.
        """
        options: dict[str, object] = {"reads": True}
        if self.address is not None:
            options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        try:
            with self.engine.execution_options(**options).begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise self._unusable(error, _LATER) from error

    @contextmanager
    def alone_with_files(self) -> Iterator[None]:
        """Alone among all hosts that share the ledger, to move files; a ledger in a file has one host.

        Raises:
            StoreError: The database cannot be reached, or somebody else moves files without end.
        """
        with ExitStack() as stack:
            try:
                if self.address is not None:
                    stack.enter_context(alone_with_files(self.engine, self.patience))
            except SQLAlchemyError as error:
                raise self._unusable(error, _LATER) from error
            yield

    def close(self) -> None:
        """Give its connections back."""
        self.engine.dispose()

    def _prepare(self, must_exist: bool) -> None:
        """Make what is not there, and refuse what another version wrote."""
        with self.read() as connection:
            names = set(inspect(connection).get_table_names())
            known = ledger_format.name in names
            if known:
                _require_format(connection.scalar(select(ledger_format.c.version)))
        if known and metadata.tables.keys() <= names:
            return
        if must_exist and not known:
            raise missing(self.where)
        if not known and metadata.tables.keys() & names:
            raise StoreError(
                f"the ledger {self.where} would lie among other tables",
                found=", ".join(sorted(metadata.tables.keys() & names)),
                hint="give it a database or a schema of its own",
            )
        with self.begin() as connection:  # alone, so that of two first starts the second finds what the first made
            metadata.create_all(connection)
            version = connection.scalar(select(ledger_format.c.version))
            _require_format(version)
            if version is None:
                connection.execute(insert(ledger_format).values(version=FORMAT))

    def _unusable(self, error: SQLAlchemyError, hint: str) -> StoreError:
        reason = str(getattr(error, "orig", None) or error).strip() or type(error).__name__
        if self.address is not None:
            reason = self.address.masked(reason)
        elif not os.access(Path(self.where).parent, os.W_OK):
            return StoreError(
                f"the ledger {self.where} cannot be used in a folder that cannot be written",
                found=reason.splitlines()[0],
                allowed="one that can (SQLite makes files beside it even to read), or a ledger in Postgres",
            )
        return StoreError(f"the ledger {self.where} cannot be used", found=reason.splitlines()[0], hint=hint)


def address_of(url: str) -> Address:
    """The database that a ledger's URL means.

    Raises:
        UsageError: It is no URL, or of a database that cannot be a ledger.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise UsageError("the ledger's URL is none", allowed=_ALLOWED) from None
    if parsed.drivername not in _DRIVERS:
        raise UsageError("the ledger cannot be kept there", found=f"{parsed.drivername}://…", allowed=_ALLOWED)
    return Address(parsed.set(drivername="postgresql+psycopg"), "the ledger")


def shown(where: Address) -> str:
    """A database as it may be named in messages."""
    return str(Address(where.url.set(drivername="postgresql"), where.origin))


def missing(where: str) -> UsageError:
    """The error of a command that only reads where nothing was ever written."""
    return UsageError(
        "there is no ledger here",
        found=where,
        hint="name the store with --store, or the ledger with --ledger, or gate a batch first",
    )


def _require_format(version: int | None) -> None:
    if version in (None, FORMAT):
        return
    newer = version is not None and version > FORMAT
    raise StoreError(
        f"the ledger was written by {'a newer' if newer else 'an older'} tidegate",
        found=f"format {version}",
        allowed=f"format {FORMAT}",
        hint="upgrade tidegate" if newer else "an unreleased version wrote it: begin a new store",
    )
