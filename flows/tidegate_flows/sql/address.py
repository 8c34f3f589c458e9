"""Where the database is, and how to read from it without changing it or telling its password."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.engine import URL, Connection, Engine, make_url

from tidegate_contracts.errors import StoreError, UsageError

VARIABLE = "TIDEGATE_SQL"
EXTRA = "pip install 'tidegate[gx,postgres]'"
_ALLOWED = "postgresql://HOST/DATABASE or sqlite:///FILE"
_SECRETS = ("password", "passwd", "pwd", "sslpassword")


@dataclass(frozen=True, slots=True)
class Address:
    """A database.

    Attributes:
        url: How to reach it; never shown.
        origin: ``--sql`` or the environment variable.
    """

    url: URL = field(repr=False)
    origin: str

    @property
    def dialect(self) -> str:
        """``postgresql`` or ``sqlite``."""
        return self.url.get_backend_name()

    def __str__(self) -> str:
        query = {name: "***" if name.lower() in _SECRETS else value for name, value in self.url.query.items()}
        return self.url.set(query=query).render_as_string(hide_password=True)

    def masked(self, text: str) -> str:
        """A text without the password, in either of its spellings."""
        secrets = [str(self.url.password)] if self.url.password else []
        secrets += [str(value) for name, value in self.url.query.items() if name.lower() in _SECRETS]
        for secret in sorted(
            {form for item in secrets for form in (item, quote(item, safe=""), unquote(item))}, key=len
        ):
            text = text.replace(secret, "***") if secret else text
        return text


def address(option: str | None) -> Address:
    """The database that is meant: by the option, else by the environment.

    Raises:
        UsageError: None is given, it has a password where it must not, or it is of a kind that is not read.
    """
    text, origin = (option, "--sql") if option is not None else (os.environ.get(VARIABLE), VARIABLE)
    if not text:
        raise UsageError("which database?", allowed=f"--sql URL, or {VARIABLE} in the environment")
    try:
        url = make_url(text)
    except (exc.ArgumentError, ValueError):
        raise UsageError(f"{origin} is no URL of a database", allowed=_ALLOWED) from None
    if origin == "--sql" and (url.password or any(name.lower() in _SECRETS for name in url.query)):
        raise UsageError(
            "--sql has a password in it",
            found=str(Address(url, origin)),
            hint=f"arguments are seen by everybody on this machine; put the URL into {VARIABLE}",
        )
    if url.drivername in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in ("postgresql+psycopg", "sqlite", "sqlite+pysqlite"):
        raise UsageError(f"{origin}: this kind of database is not read", found=url.drivername, allowed=_ALLOWED)
    return Address(url, origin)


@contextmanager
def reading(where: Address) -> Iterator[Connection]:
    """One read-only transaction that sees one state of the database.

    Raises:
        StoreError: The database cannot be reached or refuses.
        UsageError: There is no such file, or the driver is not installed.
    """
    engine = _engine(where)
    try:
        with engine.connect() as connection:
            if where.dialect == "sqlite":
                connection.exec_driver_sql("BEGIN")
            else:
                connection.exec_driver_sql("SET LOCAL TIME ZONE 'UTC'")
            yield connection
            connection.rollback()
    except exc.DBAPIError as error:
        raise StoreError(f"the database at {where} cannot be read", found=where.masked(reason(error))) from None
    finally:
        engine.dispose()


def reason(error: exc.DBAPIError) -> str:
    """Why a driver refused; in its own words only where no query was asked yet, because they may quote values."""
    kind = type(error.orig).__name__
    if error.statement is None and error.orig is not None:
        return f"{kind}: {str(error.orig).strip().splitlines()[0]}" if str(error.orig).strip() else kind
    code = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", None)
    return f"{kind} ({code})" if code else kind


def _engine(where: Address) -> Engine:
    try:
        if where.dialect == "sqlite":
            return sa.create_engine("sqlite://", creator=_creator(where), poolclass=sa.NullPool)
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        arguments: dict[str, Any] = {} if "connect_timeout" in where.url.query else {"connect_timeout": 10}
        return sa.create_engine(
            where.url, execution_options=options, connect_args=arguments, hide_parameters=True, poolclass=sa.NullPool
        )
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name} is not installed", hint=EXTRA) from None
    except exc.SQLAlchemyError as error:
        raise UsageError(f"{where.origin} is no URL of a database", found=type(error).__name__) from None


def _creator(where: Address) -> Any:
    path = Path(where.url.database or "")
    if not path.is_file():
        raise UsageError(f"no database at {str(path)!r}", allowed="the file of a SQLite database")

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro", uri=True, isolation_level=None)

    return connect
