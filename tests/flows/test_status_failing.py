"""The status page where something is not there, is broken, or takes too long."""

from __future__ import annotations

import asyncio
import re
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

import httpx
import pandas as pd
import pandera.pandas as pa
import pytest
from sqlalchemy import update
from starlette.applications import Starlette

import tidegate as tg
from tests.flows.status_site import Browser, browser, words
from tidegate_flows.ledger.schema import runs
from tidegate_flows.place import at
from tidegate_flows.settings import resolve
from tidegate_flows.status.room import Room
from tidegate_flows.status.routing import routes_of
from tidegate_flows.status.site import Site

Make = Callable[..., pd.DataFrame]


def test_what_is_not_there_is_a_page_that_says_so(pages: Browser) -> None:
    for path, said in (
        ("/datasets/nope", "The ledger knows no dataset 'nope'. It knows: orders."),
        ("/datasets/orders/batches/nope", "The ledger knows no batch 'nope' of orders."),
        ("/datasets/orders/batches/good?run=nope", "There is no such run"),
        ("/datasets/orders?before=x", "No part of a table begins there."),
        ("/datasets/orders?before=" + "9" * 400, "No part of a table begins there."),
        ("/datasets/orders/labels", "No page of labels of orders was written"),
        ("/static/..%2frouting.py", "Nothing is at"),
        ("/static/routing.py", "There is no such file."),
        ("/datasets/..%2f..%2fetc/batches/passwd", "Nothing is at"),
        ("/datasets/orders/batches/..%2f..%2fledger.db", "Nothing is at"),
        ("/datasets/orders/batches/%2e%2e", "The ledger knows no batch '..' of orders."),
    ):
        page = pages.get(path)
        assert page.status_code == 404, path
        assert said in words(page), (path, words(page))


def test_a_ledger_that_is_not_there_is_told_with_what_to_do(tmp_path: Path) -> None:
    page = browser(tmp_path).get("/")
    assert page.status_code == 503
    said = words(page)
    assert "there is no store here" in said
    assert "What to do: load this page again" in said
    assert "--store" not in said  # nobody types commands into a page


def test_a_store_that_lost_its_ledger_is_told_by_its_name(gated: Path, tmp_path: Path) -> None:
    shutil.copytree(gated, tmp_path / "store")
    for path in (tmp_path / "store").glob("ledger.db*"):
        path.unlink()
    said = words(browser(tmp_path / "store").get("/"))
    assert "this store has lost its ledger" in said
    assert "there is no store here" not in said


def test_a_dataset_whose_gate_always_fails_is_listed(gated: Path, tmp_path: Path, make_orders: Make) -> None:
    def failing(_frame: object) -> object:
        raise RuntimeError("it is broken")

    shutil.copytree(gated, tmp_path / "store")
    schema = pa.DataFrameSchema({"amount": pa.Column(float, pa.Check(failing))})
    broken = tg.Contract(name="broken", version="1.0.0", owner="shop", schema=schema)
    for _ in range(2):
        with pytest.raises(tg.MonitorError):
            tg.gate(make_orders(1), broken, store=tmp_path / "store", batch_id="one")
    pages = browser(tmp_path / "store")
    said = words(pages.get("/"))
    assert "1 of 2 datasets is halted: orders. 3 batches are kept back. 1 has no verdict yet." in said
    assert "no verdict yet, 2 monitor errors" in said
    for part in ("quarantine", "audit", "references"):
        assert pages.get(f"/datasets/broken/{part}").status_code == 200, part
    page = pages.get("/datasets/broken")
    assert (page.status_code, "There is no verdict yet, 2 monitor errors" in words(page)) == (200, True)


def test_a_ledger_that_is_down_is_told_without_its_password(tmp_path: Path) -> None:
    page = browser(tmp_path, ledger="postgresql://ann:s3cret@127.0.0.1:9/ledger").get("/")
    assert page.status_code == 503
    assert "The ledger cannot be read" in words(page)
    assert "s3cret" not in page.text


def test_a_bug_of_ours_is_a_page_and_the_log_holds_no_values(
    gated: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> datetime:
        raise RuntimeError("a value of somebody")

    page = browser(gated, clock=broken).get("/")
    assert page.status_code == 500
    assert "This page failed" in words(page)
    assert "somebody" not in page.text + caplog.text
    assert re.search(r"RuntimeError at .*test_status_failing.py", caplog.text)


def test_a_dataset_that_cannot_be_read_costs_the_others_nothing(
    gated: Path, tmp_path: Path, make_contract: Callable[..., tg.Contract], make_orders: Make
) -> None:
    shutil.copytree(gated, tmp_path / "store")
    tg.gate(make_orders(40), make_contract(name="other"), store=tmp_path / "store", batch_id="one")
    with at(tmp_path / "store") as place, place.ledger.begin() as connection:
        connection.execute(update(runs).where(runs.c.dataset == "other").values(document='{"format": 99}'))
    page = browser(tmp_path / "store").get("/")
    assert page.status_code == 200
    assert "1 of 2 datasets is halted: orders. 3 batches are kept back. The runs of 1 cannot be read." in words(page)


def test_a_ledger_that_is_locked_is_told_in_time(gated: Path, tmp_path: Path) -> None:
    shutil.copytree(gated, tmp_path / "store")
    with closing(sqlite3.connect(tmp_path / "store" / "ledger.db", isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        other.execute("UPDATE breakers SET failures = failures")
        started = time.monotonic()
        page = browser(tmp_path / "store").get("/")
        assert time.monotonic() - started < 5
        other.execute("COMMIT")
    assert page.status_code == 503
    assert "database is locked" in words(page)


def test_who_finds_no_room_in_time_is_told_so_and_waits_no_longer(gated: Path) -> None:
    go, room = threading.Event(), Room(1, 0.05)
    app = Starlette(routes=routes_of(Site(resolve(store=gated), reading=room)))

    async def asked() -> tuple[httpx.Response, httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://tide") as client:
            first = asyncio.create_task(room.do(lambda: go.wait(10)))
            await asyncio.sleep(0)
            found = await client.get("/"), await client.get("/static/status.css")
            go.set()
            await first
            return found

    full, style = asyncio.run(asked())
    assert (full.status_code, style.status_code) == (503, 200)
    assert "Too many pages are asked for at once" in words(full)
    assert browser(gated).get("/").status_code == 200
