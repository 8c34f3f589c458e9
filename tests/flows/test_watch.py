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
from tidegate_flows.stores.local import LocalStore
from tidegate_flows.watching import Refused, Waiting, Watcher

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


def looks(
    store: Path,
    contract: tg.Contract,
    where: Path | str,
    clock: Clock,
    times: int,
    *,
    every: float = 10,
    **options: Any,
) -> list[Any]:
    """What several looks of one watch give."""
    with at(store, clock=clock) as place:
        watcher, found = Watcher(place, contract, str(where), **options), []
        for _ in range(times):
            found.append([_word(item) for item in watcher.look()])
            clock.wait(every)
        return found


def one_look(store: Path, contract: tg.Contract, where: Path | str, clock: Clock, **options: Any) -> list[Any]:
    """What a look gives that is the only one, as under cron."""
    with at(store, clock=clock) as place:
        return list(Watcher(place, contract, str(where), once=True, **options).look())


def _word(item: Any) -> str:
    if isinstance(item, tg.Run):
        return f"{item.batch} {item.decision.value}"
    if isinstance(item, Waiting):
        return f"{item.name} waits{' too long' if item.overdue else ''}"
    return f"{item.name} refused" if isinstance(item, Refused) else f"{item.batches} missing"


def test_what_lies_there_is_taken_in_order_and_once(
    store: Path, contract: tg.Contract, folder: Path, make_orders: Make
) -> None:
    for day in (3, 1, 2):
        put(folder, f"2024-03-0{day}.parquet", make_orders(day))
    for name in ("_SUCCESS", ".hidden.parquet", "notes.txt", "2024-03-04.parquet.tmp"):
        (folder / name).write_bytes(b"nothing")
    before, first, second = looks(store, contract, folder, Clock(), 3)
    assert before == [], "one look cannot tell whether a file still grows"
    assert first == ["2024-03-01 publish", "2024-03-02 publish", "2024-03-03 publish"]
    assert second == []
    assert looks(store, contract, folder, Clock(), 2) == [[], []], "a new process tells nothing twice either"


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
    put(folder / "day", "part-0.parquet", make_orders(1), changed=clock.now.timestamp())
    with at(store, clock=clock) as place:
        watcher = Watcher(place, contract, str(folder), settle=5, patience=60)
        clock.wait(50)
        assert list(watcher.look()) == []
        put(folder / "day", "part-1.parquet", make_orders(2), changed=clock.now.timestamp())
        assert list(watcher.look()) == []
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
    clock = Clock()
    put(folder, "a.parquet", make_orders(1))
    with at(store, clock=clock) as place:
        watcher = Watcher(place, contract, str(folder))

        def settled() -> list[Any]:
            assert list(watcher.look()) == []
            clock.wait(5)
            return list(watcher.look())

        assert [_word(item) for item in settled()] == ["a publish"]
        put(folder, "a.parquet", make_orders(1, 100), changed=LONG_AGO + 60)
        (again,) = settled()
        put(folder, "a.parquet", make_orders(1), changed=LONG_AGO + 120)
        assert settled() == [], "the bytes that were there first have their run"
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
        assert list(watcher.look()) == []
        clock.wait(5)
        assert [_word(item) for item in watcher.look()] == ["a publish"]
        clock.now = datetime(2024, 3, 3, 5, tzinfo=UTC)
        assert list(watcher.look()) == []
        clock.now = datetime(2024, 3, 3, 7, tzinfo=UTC)
        (missing,) = watcher.look()
        assert isinstance(missing, Overdue)
        assert (missing.batches, missing.alarm(contract).check) == (1, "late_batch")
        assert list(watcher.look()) == []
        put(folder, "b.parquet", make_orders(1))
        assert list(watcher.look()) == []
        clock.wait(5)
        assert [_word(item) for item in watcher.look()] == ["b publish"]
        clock.now = datetime(2024, 3, 6, 7, tzinfo=UTC)
        assert [_word(item) for item in watcher.look()] == ["3 missing"]
        with place.ledger.begin() as connection:
            told = [
                value for name, _, labels, value in counters.totals(connection) if labels.get("check") == "late_batch"
            ]
    assert sum(told) == 3, "two gaps, and what the contract says of b, which came late"


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


def test_a_batch_in_a_bucket_waits_for_the_marker_beside_it(
    store: Path, make_contract: Callable[..., tg.Contract], make_orders: Make
) -> None:
    contract = make_contract(upstream=(tg.Upstream("till", marker="{batch}.done"),))
    system, clock = fsspec.filesystem("memory"), Clock()
    try:
        system.pipe_file("/landing/a.parquet", make_orders(1).to_parquet(index=False))
        assert looks(store, contract, "memory://landing", clock, 2) == [[], []], "it waits"
        system.pipe_file("/landing/a.done", b"")
        assert ["a publish"] in looks(store, contract, "memory://landing", clock, 2)
    finally:
        system.rm("/landing", recursive=True)


def test_a_file_that_grows_for_longer_than_there_is_patience_is_told_and_never_taken(
    store: Path, contract: tg.Contract, folder: Path, make_orders: Make
) -> None:
    clock, lines = Clock(), make_orders(1).to_csv(index=False).splitlines(keepends=True)
    put(folder, "b.parquet", make_orders(2))
    with at(store, clock=clock) as place:
        watcher, found = Watcher(place, contract, str(folder), patience=300), []
        for count in range(10, 101, 10):
            (folder / "a.csv").write_text("".join(lines[: 1 + count]))
            os.utime(folder / "a.csv", (clock.now.timestamp(),) * 2)
            found += [_word(item) for item in watcher.look()]
            clock.wait(100)
        assert found == ["a.csv waits too long"] * 3, "every 300 s"
        (folder / "a.csv").write_text("".join(lines))
        os.utime(folder / "a.csv", (LONG_AGO, LONG_AGO))  # whatever it says of its age
        assert not any(isinstance(item, tg.Run) for item in watcher.look())
        clock.wait(5)
        taken = list(watcher.look())
    assert [(run.batch, run.counts.delivered) for run in taken] == [("a", len(lines) - 1), ("b", 200)]


@pytest.mark.parametrize("address", ["file://{}", "{}"])
def test_a_file_of_this_second_is_not_taken_by_one_look_wherever_files_grow(
    store: Path, contract: tg.Contract, folder: Path, make_orders: Make, address: str
) -> None:
    clock = Clock()
    put(folder, "a.parquet", make_orders(1), changed=clock.now.timestamp())
    where = address.format(folder)
    (waits,) = one_look(store, contract, where, clock)
    assert (_word(waits), waits.why) == ("a.parquet waits", "it changed less than 5 s ago, and may still be written")
    clock.wait(5)
    assert [_word(item) for item in one_look(store, contract, where, clock)] == ["a publish"]


def test_single_looks_count_patience_from_the_time_of_the_last_change(
    store: Path, make_contract: Callable[..., tg.Contract], folder: Path, make_orders: Make
) -> None:
    clock = Clock()
    contract = make_contract(upstream=(tg.Upstream("till", marker="{batch}.done"),))
    put(folder, "a.parquet", make_orders(1), changed=clock.now.timestamp())
    clock.wait(59)
    found = one_look(store, contract, folder, clock, patience=60)
    assert found == [Waiting("a.parquet", "what it depends on is not ready", overdue=False)]
    clock.wait(1)
    assert [_word(item) for item in one_look(store, contract, folder, clock, patience=60)] == ["a quarantine"]


def test_a_folder_that_nobody_says_is_whole_does_not_stand_in_the_way_for_ever(
    store: Path, contract: tg.Contract, folder: Path, make_orders: Make
) -> None:
    clock = Clock()
    (folder / "a_folder").mkdir()
    put(folder / "a_folder", "part-0.parquet", make_orders(1), changed=clock.now.timestamp())
    put(folder, "b.parquet", make_orders(2))
    for name in ("archive", "a_notes", "lost+found"):
        (folder / name).mkdir()
        (folder / name / "old.txt").touch()
    put(folder / "archive", "old.parquet", make_orders(3), changed=clock.now.timestamp())
    clock.wait(599)
    assert [_word(item) for item in one_look(store, contract, folder, clock)] == ["a_folder waits"]
    clock.wait(1)
    for taken in (["b publish"], []):
        found = [_word(item) for item in one_look(store, contract, folder, clock)]
        assert found == ["a_folder waits too long", *taken]
    assert looks(store, contract, folder, clock, 3, every=300, patience=600) == [
        ["a_folder waits too long"],
        [],
        ["a_folder waits too long"],
    ]
    (folder / "a_folder" / "_SUCCESS").touch()
    assert [_word(item) for item in one_look(store, contract, folder, clock)] == ["a_folder publish"]


def test_what_cannot_be_looked_at_is_told_and_no_crash(
    store: Path, contract: tg.Contract, folder: Path, make_orders: Make
) -> None:
    (folder / "a").symlink_to(folder / "a")  # a loop; root may read everything else
    (folder / "b").mkdir()
    (folder / "b" / "part-0.parquet").symlink_to("part-0.parquet")
    put(folder, "c.parquet", make_orders(1))
    found = one_look(store, contract, folder, Clock())
    assert [_word(item) for item in found] == ["a waits too long", "b waits too long", "c publish"]
    assert "it cannot be looked at: " in found[1].why


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_told(store: Path, contract: tg.Contract, folder: Path) -> None:
    (folder / "a").mkdir(mode=0)
    assert [_word(item) for item in one_look(store, contract, folder, Clock())] == ["a waits too long"]


def test_a_batch_that_the_store_could_not_take_is_taken_at_the_next_look_and_before_those_behind_it(
    store: Path, contract: tg.Contract, folder: Path, make_orders: Make
) -> None:
    for day in (1, 2):
        put(folder, f"b{day}.parquet", make_orders(day))
    clock = Clock()
    with at(store, clock=clock) as place:
        watcher = Watcher(place, contract, str(folder))
        assert list(watcher.look()) == []
        clock.wait(5)
        staging = LocalStore(store).staging
        aside = staging.rename(staging.with_name("aside"))
        staging.write_text("no folder")
        with pytest.raises(tg.StoreError):
            list(watcher.look())
        staging.unlink()
        aside.rename(staging)
        assert [_word(item) for item in watcher.look()] == ["b1 publish", "b2 publish"]


def test_what_could_not_be_meant_is_tried_again_when_patience_ends_or_it_changes(
    store: Path, contract: tg.Contract, folder: Path, make_orders: Make
) -> None:
    (folder / "day").mkdir()
    for name in ("part-0.parquet", "part-1.csv", "_SUCCESS"):  # of two formats
        (folder / "day" / name).write_bytes(b"")
    put(folder, "e.parquet", make_orders(1))
    clock = Clock()
    with at(store, clock=clock) as place:
        watcher = Watcher(place, contract, str(folder), patience=600)
        assert [_word(item) for item in watcher.look()] == ["day refused"]
        clock.wait(5)
        assert [_word(item) for item in watcher.look()] == ["e publish"], "it does not stand in the way"
        clock.wait(595)
        assert [_word(item) for item in watcher.look()] == ["day refused"]
        (folder / "day" / "part-1.csv").unlink()
        put(folder / "day", "part-0.parquet", make_orders(2))
        assert [_word(item) for item in watcher.look()] == ["day publish"]


def test_one_gap_is_counted_once_by_however_many_single_looks(
    store: Path, make_contract: Callable[..., tg.Contract], folder: Path, make_orders: Make
) -> None:
    clock = Clock()
    contract = make_contract(cadence=timedelta(days=1), arrive_within=timedelta(hours=6))
    put(folder, "a.parquet", make_orders(0))

    def counted() -> float:
        with at(store) as place, place.ledger.read() as connection:
            return sum(n for _, _, labels, n in counters.totals(connection) if labels.get("check") == "late_batch")

    clock.now = datetime(2024, 3, 2, 1, tzinfo=UTC)
    assert [_word(item) for item in one_look(store, contract, folder, clock)] == ["a publish"]
    for hour in (7, 8, 9):
        clock.now = datetime(2024, 3, 3, hour, tzinfo=UTC)
        assert [_word(item) for item in one_look(store, contract, folder, clock)] == ["1 missing"]
        assert counted() == 1
    put(folder, "b.parquet", make_orders(1))
    clock.now = datetime(2024, 3, 4, 7, tzinfo=UTC)
    assert [_word(item) for item in one_look(store, contract, folder, clock)] == ["b publish", "1 missing"]
    assert counted() == 3, "the next gap, and what the contract says of b, which came late"


def test_a_place_that_is_not_there_is_said(store: Path, contract: tg.Contract, tmp_path: Path) -> None:
    for where in (tmp_path / "nowhere", "memory://nowhere-at-all"):
        with pytest.raises(tg.UsageError, match="no folder to watch"):
            looks(store, contract, where, Clock(), 1)


@pytest.mark.more
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


@pytest.mark.more
def test_the_command_tells_what_still_waits(
    store: Path, contract_file: Callable[..., Path], folder: Path, make_orders: Make, tidegate: Callable[..., Any]
) -> None:
    put(folder, "a.parquet", make_orders(1), changed=time.time())
    said = tidegate("watch", contract_file(), folder, "--once", "--settle", "600", "--store", store)
    waits = "waiting: a.parquet: it changed less than 600 s ago, and may still be written\n"
    assert (said.code, said.out, said.err) == (0, "", waits)


def test_a_watch_goes_on_where_the_store_cannot_be_used_for_a_while(
    store: Path, contract_file: Callable[..., Path], folder: Path, make_orders: Make
) -> None:
    command = [str(TIDEGATE), "watch", str(contract_file()), str(folder), "--every=0.2", "--settle=0.1", "--json"]
    with subprocess.Popen(
        [*command, "--store", str(store)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        while not (store / "ledger.db").exists():
            time.sleep(0.1)
        staging = LocalStore(store).staging
        aside = staging.rename(staging.with_name("aside"))
        staging.write_text("no folder")
        put(folder, "a.parquet", make_orders(1))
        while "looks again in" not in process.stderr.readline():
            assert process.poll() is None
        staging.unlink()
        aside.rename(staging)
        assert json.loads(process.stdout.readline())["batch"] == "a"
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def test_a_watch_that_is_told_to_end_ends(
    store: Path, contract_file: Callable[..., Path], folder: Path, make_orders: Make
) -> None:
    put(folder, "a.parquet", make_orders(1))
    command = [str(TIDEGATE), "watch", str(contract_file()), str(folder), "--every=0.2", "--settle=0.3", "--json"]
    with subprocess.Popen(
        [*command, "--store", str(store)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stderr.readline() == f"watching {folder} for orders: a look every 0.2 s; Ctrl-C stops\n"
        assert json.loads(process.stdout.readline())["batch"] == "a"
        put(folder, "b.parquet", make_orders(2))
        assert json.loads(process.stdout.readline())["batch"] == "b"
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert process.stderr.read() == "stopped after the batch at hand\n"
