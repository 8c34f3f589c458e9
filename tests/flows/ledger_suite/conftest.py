"""What the suite of ledgers runs over: a file, and a real Postgres."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.flows.ledger_suite.server import Server, running
from tidegate_flows.ledger import Ledger


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One Postgres for all tests."""
    with running() as found:
        yield found


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.more)])
def ledger_url(request: pytest.FixtureRequest) -> str:
    """A ledger in which nothing is yet; empty for the file in the store."""
    return "" if request.param == "sqlite" else request.getfixturevalue("server").new_ledger()


@pytest.fixture
def postgres_url(server: Server) -> str:
    """A Postgres ledger in which nothing is yet."""
    return server.new_ledger()


@pytest.fixture
def open_ledger(ledger_url: str, tmp_path: Path) -> Iterator[Callable[[], Ledger]]:
    """Open the ledger, as often as one likes."""
    opened: list[Ledger] = []

    def open_it() -> Ledger:
        opened.append(Ledger.open(ledger_url, tmp_path))
        return opened[-1]

    yield open_it
    for item in opened:
        item.close()


@pytest.fixture
def ledger(open_ledger: Callable[[], Ledger]) -> Ledger:
    """An open ledger."""
    return open_ledger()
