"""Postgres as the ledger's database: several hosts, one writer at a time, one clock."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Double,
    Engine,
    Select,
    case,
    cast,
    create_engine,
    event,
    extract,
    func,
    literal,
    select,
)
from sqlalchemy.exc import SQLAlchemyError

from tidegate_contracts.errors import StoreError, UsageError
from tidegate_flows.ledger.store_clock import StoreClock
from tidegate_flows.sql.address import Address

_LOOK = 0.05  # seconds between two looks at whether the files are free


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited for a ledger, in seconds.

    Attributes:
        connect: For a connection to one address of the server.
        lock: For whoever writes at the moment.
        more: For an answer beyond that; as much again until a server that gives none is given up.
        idle: For a worker that writes and is not heard of; then the server lets others in.
        files: For whoever moves files at the moment.
    """

    connect: int = 5
    lock: float = 60.0
    more: float = 5.0
    idle: float = 300.0
    files: float = 3600.0


def postgres_engine(where: Address, clock: StoreClock, patience: Patience | None = None) -> Engine:
    """An engine whose transactions that may write are alone, as those of SQLite are.

    A transaction that may write first takes one advisory lock of the ledger, and then reads what is committed: nobody
    else writes until its end. One with the execution option ``reads`` takes none, so it waits for nobody.

    Args:
        where: The database.
        clock: Set by each transaction.
        patience: How long is waited.

    Raises:
        UsageError: The driver is not installed.
    """
    patience = patience or Patience()
    try:
        driver = _driver(patience)
        engine = create_engine(
            where.url,
            isolation_level="READ COMMITTED",  # each statement sees what was committed before the lock was given
            hide_parameters=True,
            pool_pre_ping=True,
            use_native_hstore=False,  # saves a question at each connection
        )
    except ImportError as error:
        raise UsageError(
            "a Postgres ledger needs its driver",
            found=str(error).splitlines()[0],
            hint="pip install 'tidegate[postgres]'",
        ) from None

    @event.listens_for(engine, "do_connect")
    def _connect(_dialect: Any, _record: Any, _arguments: Any, options: dict[str, Any]) -> Any:
        return driver.connect(**{**_options(patience), **options})

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.execute(_settings(patience))
        reads = connection.get_execution_options().get("reads", False)
        locked = () if reads else (func.pg_advisory_xact_lock(_key(connection, "writer")),)
        now = cast(extract("epoch", func.clock_timestamp()), Double)
        clock.set(connection.execute(select(*locked, now)).one()[-1])

    return engine


@contextmanager
def alone_with_files(engine: Engine, patience: Patience | None = None) -> Iterator[None]:
    """Alone among the workers of all hosts who move files, until the block ends or the worker dies.

    Raises:
        StoreError: Somebody else moves files without end.
    """
    patience = patience or Patience()
    end = monotonic() + patience.files
    with engine.connect().execution_options(reads=True) as connection:
        while not connection.scalar(select(func.pg_try_advisory_xact_lock(_key(connection, "files")))):
            connection.rollback()
            if monotonic() > end:
                raise StoreError("another worker has been moving files for too long", found=f"{patience.files:g} s")
            sleep(_LOOK)
        connection.execute(select(_set("idle_in_transaction_session_timeout", _milliseconds(patience.files))))
        try:
            yield
        finally:
            with suppress(SQLAlchemyError):  # whoever lost the lock by now has moved its files all the same
                connection.rollback()


def _driver(patience: Patience) -> Any:
    """A connection that waits for no answer for ever, whatever became of the server."""
    from psycopg import Connection as Driver
    from psycopg import OperationalError

    class Bounded(Driver[Any]):
        def wait(self, gen: Generator[Any, Any, Any], *arguments: Any, **options: Any) -> Any:
            return super().wait(
                self._until(gen, monotonic() + patience.lock + 2 * patience.more), *arguments, **options
            )

        def _until(self, gen: Generator[Any, Any, Any], end: float) -> Generator[Any, Any, Any]:
            try:
                wanted = next(gen)
                while True:
                    ready = yield wanted
                    if not ready and monotonic() > end:
                        self.pgconn.finish()
                        raise OperationalError("the server does not answer")
                    wanted = gen.send(ready)
            except StopIteration as done:
                return done.value

    return Bounded


def _options(patience: Patience) -> dict[str, Any]:
    """What a connection is opened with, where the URL says nothing else."""
    return {
        "application_name": "tidegate",
        "connect_timeout": patience.connect,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 4,
        "tcp_user_timeout": 30_000,
        "prepare_threshold": None,  # a pooler in between need not know what was prepared
    }


def _settings(patience: Patience) -> Select[Any]:
    """The question that makes the server's settings those of one transaction."""
    settings = {
        "lock_timeout": _milliseconds(patience.lock),
        "statement_timeout": _milliseconds(patience.lock + patience.more),
        "idle_in_transaction_session_timeout": _milliseconds(patience.idle),
        "tcp_keepalives_idle": "10",  # of a host that is gone the lock must not stay for two hours
        "tcp_keepalives_interval": "5",
        "tcp_keepalives_count": "4",
        "tcp_user_timeout": "30000",
    }
    lossy = func.current_setting("synchronous_commit") == "off"  # files move once the commit is on disk, not before
    return select(
        *(_set(name, value) for name, value in settings.items()), case((lossy, _set("synchronous_commit", "on")))
    )


def _set(name: str, value: str) -> ColumnElement[str]:
    return func.set_config(name, value, True)  # of this transaction


def _key(connection: Connection, role: str) -> ColumnElement[int]:
    """The number of an advisory lock of this ledger: a database may hold one in each schema."""
    name = f"tidegate {role} {connection.dialect.default_schema_name}"
    return literal(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True), BigInteger)


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))
