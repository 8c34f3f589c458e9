"""The exporter reads every kind of ledger alike, and says in time when one is down."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import tidegate as tg
from tests.flows.ledger_suite.server import Server
from tests.flows.test_exporter import parse, value
from tidegate_flows.exporter import Exporter
from tidegate_flows.settings import resolve

Make = Callable[..., pd.DataFrame]


def test_the_page_is_the_same_whatever_keeps_the_ledger(
    ledger_url: str, store: Path, contract: tg.Contract, make_orders: Make
) -> None:
    tg.gate(make_orders(1), contract, store=store, ledger=ledger_url, batch_id="one")
    tg.gate(make_orders(2).assign(amount=-1.0), contract, store=store, ledger=ledger_url, batch_id="two")
    tg.gate(make_orders(3), contract, store=store, ledger=ledger_url, batch_id="three")
    exporter = Exporter(resolve(store=store, ledger=ledger_url))
    for _ in range(2):
        found = parse(exporter.page()[0].decode())
        assert value(found, "ledger_up") == 1
        assert value(found, "rows_total", dataset="orders") == 600
        assert (
            value(found, "quarantined_batches", dataset="orders") == value(found, "held_batches", dataset="orders") == 1
        )
        assert value(found, "audit_entries", dataset="orders") == 4
        assert value(found, "batch_rows", dataset="orders") == 200
        published = value(found, "batch_last_published_timestamp_seconds", dataset="orders")
        oldest = value(found, "quarantine_oldest_timestamp_seconds", dataset="orders")
        assert published < oldest < value(found, "batch_last_completed_timestamp_seconds", dataset="orders")


@pytest.mark.more
def test_a_database_that_is_down_is_told_in_time_and_up_again_once_it_is(
    server: Server, postgres_url: str, store: Path, contract: tg.Contract, make_orders: Make
) -> None:
    tg.gate(make_orders(1), contract, store=store, ledger=postgres_url)
    exporter = Exporter(resolve(store=store, ledger=postgres_url))
    before = parse(exporter.page()[0].decode())
    server.stop()
    try:
        started = time.monotonic()
        assert value(parse(exporter.page()[0].decode()), "ledger_up") == 0
        assert time.monotonic() - started < 5
    finally:
        server.start()
    assert parse(exporter.page()[0].decode()).keys() == before.keys()
