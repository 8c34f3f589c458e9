"""Watching where batches land: in order, each once, whole; and what does not come is said."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fsspec
import pandas as pd
import pytest

import tidegate as tg
from tests.flows.conftest import TIDEGATE
from tidegate_flows.landing import landed
from tidegate_flows.ledger import counters
from tidegate_flows.place import at
from tidegate_flows.schedule import Overdue
from tidegate_flows.watching import Refused, Watcher

Make = Callable[..., pd.DataFrame]
LONG_AGO = 1_600_000_000


class Clock:
    """A clock that is moved by hand, at first long after the files were written."""

    def __init__(self) -> None:
        self.now = datetime(2024, 3, 3, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "landing").mkdir()
    return tmp_path / "landing"


def put(folder: Path, name: str, frame: pd.DataFrame, *, changed: float = LONG_AGO) -> Path:
    path = folder / name
    frame.to_parquet(path, index=False)
    os.utime(path, (changed, changed))
    return path


def looks(store: Path, contract: tg.Contract, where: Path | str, clock: Clock, times: int, **options: Any) -> list[Any]:
    """What several looks give, the clock standing still between them."""
    with at(store, clock=clock) as place:
        watcher = Watcher(place, contract, str(where), **options)
        return [[_word(item) for item in watcher.look()] for _ in range(times)]


def _word(item: Any) -> str:
    if isinstance(item, tg.Run):
        return f"{item.batch} {item.decision.value}"
    return f"{item.name} refused" if isinstance(item, Refused) else f"{item.batches} missing"


def test_what_lies_there_is_taken_in_order_and_once(
    store: Path, contract: tg.Contract, folder: Path, make_orders: Make
) -> None:
    for day in (3, 1, 2):
        put(folder, f"2024-03-0{day}.parquet", make_orders(day))
    for name in ("_SUCCESS", ".hidden.parquet", "notes.txt", "2024-03-04.parquet.tmp"):
        (folder / name).write_bytes(b"nothing")
    first, second = looks(store, contract, folder, Clock(), 2)
    assert first == ["2024-03-01 publish", "2024-03-02 publish", "2024-03-03 publish"]
    assert second == []
    assert looks(store, contract, folder, Clock(), 1) == [[]], "a new process tells nothing twice either"


def test_a_file_that_is_still_written_is_waited_for_and_those_behind_it_too(
    store: Path, contract: tg.Contract, folder: Path, make_orders: Make
) -> None:
    clock = Clock()
    put(folder, "a.parquet", make_orders(1), changed=clock.now.timestamp() - 1)
    put(folder, "b.parquet", make_orders(2))
    with at(store, clock=clock) as place:
        watcher = Watcher(place, contract, str(folder), settle=5)
        assert list(watcher.look()) == []
        clock.wait(3)
        put(folder, "a.parquet", make_orders(1, 300), changed=clock.now.timestamp())
        clock.wait(4)
        assert list(watcher.look()) == [], "it has grown since"
        clock.wait(5)
        assert [_word(item) for item in watcher.look()] == ["a publish", "b publish"]


def test_a_folder_is_a_batch_once_its_writer_says_so(
    store: Path, contract: tg.Contract, folder: Path, make_orders: Make
) -> None:
    clock = Clock()
    (folder / "day").mkdir()
    put(folder / "day", "part-0.parquet", make_orders(1))
    with at(store, clock=clock) as place:
        watcher = Watcher(place, contract, str(folder), settle=5, patience=60)
        clock.wait(50)
        assert list(watcher.look()) == []
        put(folder / "day", "part-1.parquet", make_orders(2))
        (folder / "day" / "_SUCCESS").touch()
        assert [_word(item) for item in watcher.look()] == ["day publish"]


def test_patience_ends_and_the_verdict_says_what_was_missing(
    store: Path, make_contract: Callable[..., tg.Contract], folder: Path, make_orders: Make
) -> None:
    clock = Clock()
    contract = make_contract(upstream=(tg.Upstream("till", marker="{batch}.done"),))
    put(folder, "a.parquet", make_orders(1))
    put(folder, "b.parquet", make_orders(2))
    (folder / "b.done").touch()
    with at(store, clock=clock) as place:
        watcher = Watcher(place, contract, str(folder), settle=5, patience=60)
        assert list(watcher.look()) == []
        clock.wait(59)
        assert list(watcher.look()) == []
        clock.wait(1)
        found = list(watcher.look())
    assert [_word(item) for item in found] == ["a quarantine", "b hold"]
    assert "incomplete_upstream" in {finding.check for finding in found[0].findings}


def test_a_file_that_is_written_anew_after_it_was_settled_is_rewritten_history(
    store: Path, contract: tg.Contract, folder: Path, make_orders: Make
) -> None:
    put(folder, "a.parquet", make_orders(1))
    with at(store, clock=Clock()) as place:
        watcher = Watcher(place, contract, str(folder))
        assert [_word(item) for item in watcher.look()] == ["a publish"]
        put(folder, "a.parquet", make_orders(1, 100), changed=LONG_AGO + 60)
        (again,) = watcher.look()
        put(folder, "a.parquet", make_orders(1), changed=LONG_AGO + 120)
        assert list(watcher.look()) == [], "the bytes that were there first have their run"
    assert "rewritten_history" in {finding.check for finding in again.findings}


def test_what_should_have_come_is_told_once_until_something_comes(
    store: Path, make_contract: Callable[..., tg.Contract], folder: Path, make_orders: Make
) -> None:
    clock = Clock()
    contract = make_contract(cadence=timedelta(days=1), arrive_within=timedelta(hours=6))
    put(folder, "a.parquet", make_orders(0))  # 1 March 2024: its window ends with its last order, before midnight
    with at(store, clock=clock) as place:
        watcher = Watcher(place, contract, str(folder))
        clock.now = datetime(2024, 3, 2, 1, tzinfo=UTC)
        assert [_word(item) for item in watcher.look()] == ["a publish"]
        clock.now = datetime(2024, 3, 3, 5, tzinfo=UTC)
        assert list(watcher.look()) == []
        clock.now = datetime(2024, 3, 3, 7, tzinfo=UTC)
        (missing,) = watcher.look()
        assert isinstance(missing, Overdue)
        assert (missing.batches, missing.alarm(contract).check) == (1, "late_batch")
        assert list(watcher.look()) == []
        put(folder, "b.parquet", make_orders(1))
        assert [_word(item) for item in watcher.look()] == ["b publish"]
        clock.now = datetime(2024, 3, 6, 7, tzinfo=UTC)
        assert [_word(item) for item in watcher.look()] == ["3 missing"]
        with place.ledger.begin() as connection:
            told = [
                value for name, _, labels, value in counters.totals(connection) if labels.get("check") == "late_batch"
            ]
    assert sum(told) >= 2


def test_a_bucket_is_watched_as_a_folder_is(store: Path, contract: tg.Contract, make_orders: Make) -> None:
    system = fsspec.filesystem("memory")
    system.makedirs("/landing", exist_ok=True)
    try:
        for day in (2, 1):
            with system.open(f"/landing/d{day}.parquet", "wb") as file:
                make_orders(day).to_parquet(file, index=False)
        assert [item.name for item in landed("memory://landing")] == ["d1.parquet", "d2.parquet"]
        assert looks(store, contract, "memory://landing", Clock(), 2) == [["d1 publish", "d2 publish"], []]
    finally:
        system.rm("/landing", recursive=True)


def test_a_place_that_is_not_there_is_said(store: Path, contract: tg.Contract, tmp_path: Path) -> None:
    for where in (tmp_path / "nowhere", "memory://nowhere-at-all"):
        with pytest.raises(tg.UsageError, match="no folder to watch"):
            looks(store, contract, where, Clock(), 1)


def test_the_command_looks_once_and_its_exit_code_is_the_worst(
    store: Path, contract_file: Callable[..., Path], folder: Path, make_orders: Make, tidegate: Callable[..., Any]
) -> None:
    put(folder, "a.parquet", make_orders(1))
    put(folder, "b.parquet", make_orders(2).assign(amount=-1.0))
    said = tidegate("watch", contract_file(), folder, "--once", "--json", "--store", store)
    assert said.code == 1
    assert [json.loads(line)["decision"] for line in said.out.splitlines()] == ["publish", "quarantine"]
    again = tidegate("watch", contract_file(), folder, "--once", "--store", store)
    assert (again.code, again.out) == (0, "")


def test_a_watch_that_is_told_to_end_ends(
    store: Path, contract_file: Callable[..., Path], folder: Path, make_orders: Make
) -> None:
    put(folder, "a.parquet", make_orders(1))
    command = [str(TIDEGATE), "watch", str(contract_file()), str(folder), "--every", "0.2", "--json"]
    with subprocess.Popen([*command, "--store", str(store)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["batch"] == "a"
        put(folder, "b.parquet", make_orders(2))
        assert json.loads(process.stdout.readline())["batch"] == "b"
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
