"""The process that decodes: started when needed, limited, replaced when it dies, and never in anybody's way."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandera.pandas as pr
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tidegate as tg
from tests.contracts.columns import make_contract
from tidegate_contracts.batch import Batch
from tidegate_flows.intake import Limits, UnreadableError, decode, limited, stage
from tidegate_flows.intake import helper as helpers

Decode = Callable[..., Batch]
ANYTHING = make_contract(pr.DataFrameSchema({"anything": pr.Column(required=False, nullable=True)}))


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A small parquet file."""
    path = tmp_path / "small.parquet"
    pq.write_table(pa.table({"a": list(range(100)), "b": ["x"] * 100}), path)
    return path


@pytest.fixture
def take(tmp_path: Path) -> Decode:
    """Stage and decode a file."""
    count = iter(range(10_000))

    def run(path: Path) -> Batch:
        folder = tmp_path / f"staged-{next(count)}"
        folder.mkdir()
        return decode(stage(path, folder), ANYTHING)

    return run


def pid() -> int:
    """The running helper's process."""
    assert helpers._keeper.helper is not None
    return helpers._keeper.helper._process.pid


def children_of(parent: int) -> list[int]:
    """The processes that a process started and has not yet taken leave of."""
    found = []
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = place.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent:
            found.append(int(place.parent.name))
    return found


def open_files(process: object) -> int:
    """How many files a process has open."""
    return len(list(Path(f"/proc/{process}/fd").iterdir()))


def test_one_helper_serves_all_batches_and_leaves_neither_files_nor_processes_behind(small: Path, take: Decode) -> None:
    take(small)
    helper, files = pid(), open_files("self")
    for _ in range(20):
        take(small)
    with pytest.raises(UnreadableError):
        take(Path(shutil.copy(small, small.with_name("small.arrow"))))
    assert pid() == helper
    assert open_files("self") == files
    assert children_of(helper) == []
    assert open_files(helper) <= 7


def test_a_helper_that_died_is_replaced(small: Path, take: Decode) -> None:
    take(small)
    first = pid()
    os.kill(first, signal.SIGKILL)
    assert take(small).rows == 100
    assert pid() != first


def test_many_threads_decode_at_once(small: Path, take: Decode) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert [batch.rows for batch in pool.map(take, [small] * 40)] == [100] * 40


def test_a_decoder_that_needs_too_much_memory_is_a_verdict(tmp_path: Path, take: Decode) -> None:
    path = tmp_path / "large.parquet"
    pq.write_table(pa.table({"a": ["x" * 80_000_000]}), path, compression="zstd")
    with limited(Limits(memory=280 << 20)), pytest.raises(UnreadableError, match="memory"):
        take(path)
    assert take(path).rows == 1


def test_a_decoder_that_takes_too_long_is_stopped_and_a_verdict(tmp_path: Path, take: Decode) -> None:
    path = tmp_path / "long.jsonl"
    path.write_bytes(b'{"a": 1}\n' * 3_000_000)
    started = time.monotonic()
    with limited(Limits(wall_seconds=0.3)), pytest.raises(UnreadableError, match=r"more than 0\.3 s"):
        take(path)
    with limited(Limits(cpu_seconds=1)), pytest.raises(UnreadableError, match="1 s of processor time"):
        take(path)
    assert time.monotonic() - started < 30
    deadline = time.monotonic() + 10
    while children_of(pid()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert children_of(pid()) == []


def test_a_decoder_that_crashes_is_a_verdict_with_the_signals_name(small: Path, take: Decode) -> None:
    path = small.with_name("slow.jsonl")
    path.write_bytes(b'{"a": 1}\n' * 2_000_000)
    take(small)

    def crash() -> None:
        for _ in range(500):
            for child in children_of(pid()):
                time.sleep(0.05)
                os.kill(child, signal.SIGSEGV)
                return
            time.sleep(0.01)

    with ThreadPoolExecutor(1) as pool:
        killing = pool.submit(crash)
        with pytest.raises(UnreadableError, match="SIGSEGV"):
            take(path)
        killing.result()
    assert take(small).rows == 100


def test_a_helper_that_dies_with_a_batch_in_hand_is_no_verdict(small: Path, take: Decode) -> None:
    path = small.with_name("slow.jsonl")
    path.write_bytes(b'{"a": 1}\n' * 2_000_000)
    take(small)
    helper = pid()

    def kill() -> None:
        for _ in range(500):
            found = children_of(helper)
            if found:
                os.kill(helper, signal.SIGKILL)
                os.kill(found[0], signal.SIGKILL)
                return
            time.sleep(0.01)

    with ThreadPoolExecutor(1) as pool:
        killing = pool.submit(kill)
        with pytest.raises(tg.MonitorError):
            take(path)
        killing.result()
    assert take(small).rows == 100


def test_a_helper_that_cannot_be_started_is_no_verdict(
    small: Path, take: Decode, monkeypatch: pytest.MonkeyPatch
) -> None:
    helpers._keeper.end()
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(tg.MonitorError, match="cannot be started"):
        take(small)
    monkeypatch.undo()
    assert take(small).rows == 100


def test_a_small_batch_costs_little(small: Path, take: Decode) -> None:
    def spent() -> float:
        fields = Path(f"/proc/{pid()}/stat").read_text().rpartition(")")[2].split()
        own = resource.getrusage(resource.RUSAGE_SELF)
        return own.ru_utime + own.ru_stime + sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")

    take(small)
    before = spent()
    for _ in range(20):
        take(small)
    assert (spent() - before) / 20 < 0.06  # 0.02 on a machine that does nothing else


PROGRAM = """
import multiprocessing, os, sys, threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import mkdtemp
from tidegate_flows.intake.received import tables_in

path = Path(sys.argv[1])

def rows(_=None):
    return tables_in(path, ".parquet")[0].num_rows

def tell(answers):
    answers.put(rows())
"""
WAYS = {
    "no main guard": "print(rows())",
    "after a fork": """
        rows()
        child = os.fork()
        if child == 0:
            os._exit(0 if rows() == 100 else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        print(rows())
    """,
    "a daemonic worker": """
        rows()
        context = multiprocessing.get_context("fork")
        answers = context.Queue()
        worker = context.Process(target=tell, args=(answers,), daemon=True)
        worker.start()
        print(answers.get(timeout=60))
        worker.join()
    """,
    "a fork while a thread decodes": """
        with ThreadPoolExecutor(4) as pool:
            found = [pool.submit(rows) for _ in range(20)]
            children = []
            for _ in range(5):
                child = os.fork()
                if child == 0:
                    os._exit(0 if rows() == 100 else 1)
                children.append(child)
            assert {item.result() for item in found} == {100}
        assert all(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0 for child in children)
        print(rows())
    """,
    "a strange working folder and environment": """
        os.chdir(mkdtemp())
        Path("pyarrow.py").write_text("raise SystemExit('mine')")
        os.environ["PYTHONPATH"] = os.getcwd()
        os.environ["PYTHONSTARTUP"] = "/nowhere"
        print(rows())
    """,
}


@pytest.mark.parametrize("way", WAYS)
def test_it_works_however_the_process_is_run(small: Path, way: str) -> None:
    program = PROGRAM + textwrap.dedent(WAYS[way])
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", program, str(small)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "100"), done.stderr
    assert done.stderr == "" or "DeprecationWarning" in done.stderr
    assert not [line for line in processes() if str(small) in line]


def processes() -> list[str]:
    """The command lines of all processes."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(place.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found
