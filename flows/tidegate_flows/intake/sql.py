"""A SQL table or query as a delivery: read once into staging, as a snapshot; the table is never touched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Connection, MetaData, NullPool, Table, create_engine, event, select, text
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, NoSuchTableError, SQLAlchemyError

from tidegate_contracts.batch import Source, batch_id
from tidegate_contracts.errors import StoreError, UsageError
from tidegate_flows.decoder.limits import in_force
from tidegate_flows.intake.staged import Staged
from tidegate_flows.sql.address import reason
from tidegate_flows.stores.local import copy_hashed, writing

_TABLE = re.compile(r"(?:(?P<schema>\w+)\.)?(?P<table>\w+)")
_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class Query:
    """A table of a database, or the rows of one query, as a delivery.

    Attributes:
        url: A SQLAlchemy URL; its password is in no message.
        statement: The name of a table (``orders``, ``shop.orders``) or one query (``select …``).
    """

    url: str = field(repr=False)
    statement: str


def stage_sql(url: str, query: str, folder: Path, *, name: str | None = None) -> Staged:
    """Read a table, or the rows of one query, into a folder of the store as parquet.

    It is read in one read-only transaction, in chunks, with the types that the database gives: decimals, times and
    missing values stay what they are.

    Args:
        url: A SQLAlchemy URL. Its password is in no message.
        query: The name of a table (``orders``, ``shop.orders``) or one query (``select …``).
        folder: Where to put the snapshot.
        name: The batch id; by default the table's name and a part of the snapshot's hash.

    Raises:
        UsageError: There is no such database, table or query, or its rows have no form as a table.
        StoreError: The database cannot be reached, or the snapshot cannot be written.
    """
    engine, shown = _engine(url)
    named = _TABLE.fullmatch(query.strip())
    target, spool = folder / "batch.parquet", folder / "snapshot"
    with writing(folder):
        spool.mkdir()
        try:
            with _refused(query):
                with _read_only(engine, shown) as connection:
                    schema = _spooled(connection, query, named, spool)
                _joined(spool, schema, folder / "joined.parquet")
            with (folder / "joined.parquet").open("rb") as source:
                digest, size = copy_hashed(source, target)
        finally:
            engine.dispose()
            for left in (*spool.iterdir(), folder / "joined.parquet"):
                left.unlink(missing_ok=True)
            spool.rmdir()
    table = named["table"] if named is not None else "query"
    identity = batch_id(name if name is not None else f"{table}-{digest[:16]}")
    return Staged(target, Source(f"{table} in {shown}", ".parquet", digest, size), identity, own=True)


def _engine(url: str) -> tuple[Engine, str]:
    try:
        engine = create_engine(make_url(url), poolclass=NullPool)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise UsageError(
            "no such kind of database", found=type(error).__name__, allowed="a SQLAlchemy URL, and its driver installed"
        ) from None
    place = engine.url
    if place.get_backend_name() == "sqlite":
        if place.database in (None, "", ":memory:") or not Path(str(place.database).removeprefix("file:")).exists():
            raise UsageError("no such database", found=str(place.database), allowed="the path of an SQLite file")

        @event.listens_for(engine, "connect")
        def _(connection: Any, _record: Any) -> None:
            connection.execute("PRAGMA query_only = ON")

    return engine, f"{place.get_backend_name()} database {place.database!r}"


def _read_only(engine: Engine, shown: str) -> Connection:
    """A connection whose transaction sees one state of the database and can change nothing."""
    options: dict[str, Any] = {"stream_results": True, "max_row_buffer": _ROWS}
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    try:
        connection = engine.connect().execution_options(**options)
        if engine.dialect.name in ("mysql", "mariadb"):
            connection.execute(text("SET TRANSACTION READ ONLY"))
            connection.rollback()
    except SQLAlchemyError as error:
        raise StoreError(f"the {shown} cannot be reached", found=type(error).__name__) from None
    return connection


def _spooled(connection: Connection, query: str, named: re.Match[str] | None, spool: Path) -> Any:
    """Write the rows chunk by chunk, each with the types found in it; the schema that holds for all."""
    schemas, rows = [], 0
    for number, chunk in enumerate(_chunks(connection, query, named)):
        rows += chunk.num_rows
        in_force().check_shape(rows, chunk.num_columns)
        pq.write_table(chunk, spool / f"{number:08}.parquet")
        schemas.append(chunk.schema)
    return pa.unify_schemas(schemas, promote_options="permissive")


@contextmanager
def _refused(query: str) -> Iterator[None]:
    """What goes wrong between a query and its snapshot, as wrong use; no value of a row is quoted.

    Raises:
        UsageError: Something does.
    """
    try:
        yield
    except NoSuchTableError:
        raise UsageError("no such table", found=repr(query)) from None
    except DBAPIError as error:  # whose own words may hold values
        codes = {getattr(error.orig, name, None) for name in ("sqlite_errorname", "sqlstate")}
        hint = "a query may only read" if codes & {"SQLITE_READONLY", "25006"} else None
        raise UsageError("the database refuses the query", found=reason(error), hint=hint) from None
    except (SQLAlchemyError, pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        words = str(error) if type(error) is ValueError else type(error).__name__
        raise UsageError("the rows have no form as a table", found=words) from None


def _chunks(connection: Connection, query: str, named: re.Match[str] | None) -> Iterator[Any]:
    if named is not None:
        table = Table(named["table"], MetaData(), schema=named["schema"], autoload_with=connection)
        result = connection.execute(select(table))
    else:
        result = connection.exec_driver_sql(query)
        if not result.returns_rows:
            raise ValueError("the query gives no rows")
    names = list(result.keys())
    if len(set(names)) < len(names):
        raise ValueError("two columns have the same name")
    empty = True
    for rows in result.partitions(_ROWS):
        empty = False
        yield _arrow(names, list(zip(*rows, strict=True)))
    if empty:
        yield _arrow(names, [()] * len(names))


def _arrow(names: list[str], columns: list[Any]) -> Any:
    """One chunk; pyarrow finds decimals, times, dates, text, bytes and numbers by the values' own types."""
    arrays = []
    for name, values in zip(names, columns, strict=True):
        try:
            arrays.append(pa.array(values))
        except (pa.ArrowException, OverflowError):
            raise ValueError(f"column {name!r} holds values of several types") from None
    return pa.table(arrays, names=names)


def _joined(spool: Path, schema: Any, target: Path) -> None:
    with pq.ParquetWriter(target, schema, write_page_checksum=True) as writer:
        for path in sorted(spool.iterdir()):
            writer.write_table(_cast(pq.read_table(path), schema))


def _cast(chunk: Any, schema: Any) -> Any:
    """A chunk with the types that hold for all chunks."""
    arrays = []
    for name, wanted in zip(schema.names, schema.types, strict=True):
        try:
            arrays.append(chunk.column(name).cast(wanted))
        except pa.ArrowException:
            raise ValueError(f"column {name!r} holds values that do not survive as {wanted}") from None
    return pa.table(arrays, schema=schema)
