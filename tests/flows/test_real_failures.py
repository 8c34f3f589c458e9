"""The real world at its worst: signals, full and read-only disks, no file left to open, crowds, and swapped files.

After each the same things must be true as in the simulated world.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pandera.pandas as pa
import pytest

import tidegate as tg
from tests.conftest import Orders
from tests.flows.conftest import TIDEGATE
from tests.flows.crowd import crowd
from tests.flows.invariants import Invariants
from tidegate_flows.gate import gate_at
from tidegate_flows.place import at
from tidegate_flows.recover import recover
from tidegate_flows.stores.local import sha256_of

Make = Callable[..., pd.DataFrame]

SLOW = """
import os, pathlib, time
import pandera.pandas as pa
import tidegate as tg

class Rows(pa.DataFrameModel):
    key: str = pa.Field(unique=True)
    n: int = pa.Field(ge=0)

    @pa.check("n")
    def waits(cls, series):
        here = os.environ.get("WAITS")
        if here:
            pathlib.Path(here).touch()
            time.sleep(5)
        return True

contract = tg.Contract(name="slow", version="1.0.0", owner="tests", schema=Rows, key=("key",))
"""


def true_of(store: Path, dataset: str = "orders", key: str = "order_id", *batches: Path) -> None:
    """Everything that must be true is true once what was left is finished."""
    delivered = {sha256_of(path): pd.read_parquet(path)[key].tolist() for path in batches}
    with at(store) as place:
        recover(place)
        Invariants(place, dataset, key, delivered).look_at_rest()


@pytest.fixture
def slow(tmp_path: Path) -> tuple[Path, Path]:
    """A contract that waits where it is told to, and a batch that keeps it."""
    contract, batch = tmp_path / "slow.py", tmp_path / "day.parquet"
    contract.write_text(SLOW)
    pd.DataFrame({"key": ["a", "b"], "n": [1, 2]}).to_parquet(batch, index=False)
    return contract, batch


def at_work(slow: tuple[Path, Path], store: Path) -> subprocess.Popen[str]:
    """A worker in the middle of a check."""
    marker = store.with_name("waits")
    worker = subprocess.Popen(
        [str(TIDEGATE), "gate", *map(str, slow), "--store", str(store)],
        env=os.environ | {"WAITS": str(marker), "TIDEGATE_LEASE": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    for _ in range(600):
        if marker.exists() or worker.poll() is not None:
            break
        time.sleep(0.05)
    assert worker.poll() is None, worker.stderr
    return worker


@pytest.mark.more
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_worker_that_is_told_to_stop_leaves_the_batch_to_the_next(
    slow: tuple[Path, Path], store: Path, how: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = at_work(slow, store)
    worker.send_signal(how)
    _, said = worker.communicate(timeout=20)
    assert worker.returncode not in (0, 1), "no verdict is no pass and no stop"
    assert not (store / "slow").exists(), said
    monkeypatch.setenv("TIDEGATE_LEASE", "1")
    tg.gate(slow[1], slow[0], store=store).require_published()
    true_of(store, "slow", "key", slow[1])


def test_an_interrupt_in_the_middle_of_a_check_gives_the_claim_back_at_once(
    store: Path, make_contract: Callable[..., tg.Contract], make_orders: Make
) -> None:
    interrupts = [KeyboardInterrupt, SystemExit]

    def stop(_: object) -> bool:
        if interrupts:
            raise interrupts.pop()
        return True

    contract = make_contract(schema=Orders.to_schema().update_column("items", checks=pa.Check(stop)))
    for kind in (SystemExit, KeyboardInterrupt):
        with pytest.raises(kind):
            tg.gate(make_orders(1), contract, store=store, batch_id="a")
        assert list((store / ".staging").iterdir()) == []
    started = time.monotonic()
    tg.gate(make_orders(1), contract, store=store, batch_id="a").require_published()
    assert time.monotonic() - started < 30, "the lease is a minute, and nobody waited for it"
    true_of(store)


@pytest.mark.more
def test_a_worker_that_was_stopped_past_its_lease_cannot_commit_when_it_goes_on(
    slow: tuple[Path, Path], store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = at_work(slow, store)
    worker.send_signal(signal.SIGSTOP)
    try:
        time.sleep(1.1)
        monkeypatch.setenv("TIDEGATE_LEASE", "1")
        tg.gate(slow[1], slow[0], store=store).require_published()
    finally:
        worker.send_signal(signal.SIGCONT)
    _, said = worker.communicate(timeout=60)
    assert (worker.returncode, "was taken over by another worker" in said) == (3, True), said
    true_of(store, "slow", "key", slow[1])


def test_the_bytes_that_were_checked_are_published_whatever_becomes_of_the_file(
    store: Path, make_contract: Callable[..., tg.Contract], make_orders: Make, tmp_path: Path
) -> None:
    path = tmp_path / "day.parquet"
    make_orders(1).to_parquet(path, index=False)
    delivered = path.read_bytes()

    def swap(_: object) -> bool:
        make_orders(2).assign(amount=-1.0).to_parquet(path, index=False)
        return True

    contract = make_contract(schema=Orders.to_schema().update_column("items", checks=pa.Check(swap)))
    run = tg.gate(path, contract, store=store).require_published()
    assert path.read_bytes() != delivered
    assert run.published is not None
    assert run.published.read_bytes() == delivered
    with path.open("r+b") as file:  # and what was published is no link to the file that came
        file.write(b"gone")
    assert run.published.read_bytes() == delivered
    true_of(store)


@pytest.mark.parametrize("days", [1, -1])
def test_a_clock_that_jumps_a_day_loses_and_doubles_nothing(
    store: Path, contract: tg.Contract, make_orders: Make, days: int
) -> None:
    now = [datetime(2024, 6, 1, tzinfo=UTC)]
    with at(store, clock=lambda: now[0]) as place:
        for number, frame in enumerate((make_orders(1), make_orders(2).assign(amount=-1.0), make_orders(3))):
            gate_at(place, frame, contract, batch_id=f"b{number}")
            now[0] += timedelta(days=days)
            assert gate_at(place, frame, contract, batch_id=f"b{number}").repeated
        Invariants(place, "orders", "order_id").look_at_rest()


LIMITED = """
import json, os, resource, sys
import pandas, pandera.pandas, tidegate as tg, tidegate_flows.gate
contract, batch, store = sys.argv[1:]
tg.gate(batch, contract, store=store + "-warm")
codes = []
for more in range(0, 26):
    child = os.fork()
    if not child:
        code = 70
        try:
            used = max(map(int, os.listdir("/proc/self/fd"))) + 1
            resource.setrlimit(resource.RLIMIT_NOFILE, (used + more, used + more))
            code = int(tg.gate(batch, contract, store=f"{store}-{more}").decision is not tg.Decision.PUBLISH)
        except tg.TidegateError as error:
            code = error.exit_code
        except BaseException as error:
            os.write(2, repr(error).encode())
        finally:
            os._exit(code)
    codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(json.dumps(codes))
"""


@pytest.mark.more
def test_without_a_file_left_to_open_there_is_no_verdict_and_with_some_there_is(
    store: Path, contract_file: Callable[..., Path], make_orders: Make, tmp_path: Path
) -> None:
    batch = tmp_path / "day.parquet"
    make_orders(1).to_parquet(batch, index=False)
    command = [sys.executable, "-c", LIMITED, str(contract_file()), str(batch), str(store)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | {"TIDEGATE_LEASE": "1"}
    )
    codes = json.loads(done.stdout)
    assert set(codes) == {0, 3}, (codes, done.stderr)
    for more, code in enumerate(codes):
        place = store.with_name(f"{store.name}-{more}")
        if code == 0:
            true_of(place, "orders", "order_id", batch)
        elif more % 5 == 0:  # any of them goes on once there are some
            assert not list(place.glob("orders/published/*"))
            tg.gate(batch, contract_file(), store=place).require_published()
            true_of(place, "orders", "order_id", batch)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tidegate-test", str(folder)],  # noqa: S607 - wherever it is
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no file system may be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)  # noqa: S607


def remount(disk: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(disk)], check=True)  # noqa: S607


@pytest.mark.more
def test_a_disk_that_is_full_at_any_moment_gives_no_verdict_and_the_same_command_works_with_room(
    disk: Path, contract_file: Callable[..., Path], make_orders: Make, tmp_path: Path
) -> None:
    batch, store, refused = tmp_path / "day.parquet", disk / "store", 0
    make_orders(1, 2000).assign(note=None).to_parquet(batch, index=False)
    for kilobytes in range(64, 1200, 60):
        remount(disk, f"size={kilobytes}k")
        try:
            tg.gate(batch, contract_file(), store=store)
            break
        except (tg.StoreError, tg.MonitorError):
            refused += 1
            assert not list(store.glob("orders/published/*"))
    assert refused > 3
    remount(disk, "size=8m")
    tg.gate(batch, contract_file(), store=store).require_published()
    true_of(store, "orders", "order_id", batch)


def test_a_read_only_disk_gives_no_verdict_and_says_so(
    disk: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    remount(disk, "size=8m")
    tg.gate(make_orders(1), contract_file(), store=disk / "store", batch_id="a").require_published()
    remount(disk, "ro")
    with pytest.raises(tg.StoreError) as caught:
        tg.gate(make_orders(2), contract_file(), store=disk / "store", batch_id="b")
    assert caught.value.exit_code == 3
    assert caught.value.hint
    remount(disk, "rw")
    tg.gate(make_orders(2), contract_file(), store=disk / "store", batch_id="b").require_published()
    true_of(disk / "store")


@pytest.mark.more
def test_a_crowd_at_the_same_batches_decides_each_once(store: Path, tmp_path: Path) -> None:
    crowd(tmp_path, store, workers=6, rounds=15)
