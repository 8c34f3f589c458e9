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
from concurrent.futures import ThreadPoolExecutor, wait
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
from tidegate_flows.intake.received import _Rows, _Status

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


def test_a_request_that_a_helper_took_to_its_grave_is_made_again(small: Path, take: Decode) -> None:
    take(small)
    first = pid()
    os.kill(first, signal.SIGSTOP)  # so that it never begins
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(take, small)
        assert not wait([asked], timeout=0.5).done
        os.kill(first, signal.SIGKILL)
        assert asked.result(60).rows == 100
    assert pid() != first


def test_waiting_for_a_process_that_has_handed_back_its_rows_takes_no_processor_time(small: Path, take: Decode) -> None:
    take(small)
    assert helpers._keeper.helper is not None
    (data, sink), (status, said) = os.pipe(), os.pipe()
    rows = _Rows(data, _Status(status, helpers._keeper.helper), Limits())
    os.write(sink, b"E")
    os.close(sink)
    with rows, ThreadPoolExecutor(1) as pool:
        before = time.thread_time()
        told = pool.submit(lambda: (time.sleep(0.5), os.write(said, b'{"ok": true}\n{"exit": 0}\n')))
        assert rows.tables() == []
        assert time.thread_time() - before < 0.1
        told.result()
    os.close(said)


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
                time.sleep(0.3)  # until we know that it began: else it is asked again
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


SCARCE = """
import os, resource, sys
from pathlib import Path
import pandera.pandas as pr
import tidegate as tg
from tidegate_flows.intake import decode, stage
from tidegate_flows.intake import helper as helpers

contract = tg.Contract(name="a", version="1.0.0", owner="t", schema=pr.DataFrameSchema({"a": pr.Column(int)}))
staged = stage(Path(sys.argv[1]), Path(sys.argv[2]))
os.mkdir(sys.argv[2] + "/own")
own = stage(decode(staged, contract).delivered, Path(sys.argv[2]) / "own")
files = lambda: len(os.listdir("/proc/self/fd"))
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
for running in (True, False):
    for left in range(8):
        helpers._keeper.end() if not running else decode(staged, contract)
        before = files()
        resource.setrlimit(resource.RLIMIT_NOFILE, (before - 1 + left, hard))
        found = []
        for batch in (staged, own):
            try:
                decode(batch, contract)
                found.append("read")
            except (tg.MonitorError, tg.StoreError) as error:
                found.append(type(error).__name__)
            except BaseException as error:
                found.append(repr(error))
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        print(left, *found, files() - before if running else 0)
print(decode(staged, contract).rows)
"""


def test_having_no_files_left_is_our_failure_and_leaves_none_open(small: Path, tmp_path: Path) -> None:
    (tmp_path / "staged").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", SCARCE, str(small), str(tmp_path / "staged")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    *lines, last = done.stdout.splitlines()
    assert (done.returncode, last, len(lines)) == (0, "100", 16), (done.stdout, done.stderr)
    for line in lines:
        _, *outcomes, leaked = line.split()
        assert set(outcomes) <= {"read", "MonitorError", "StoreError"}, lines
        assert leaked == "0", lines
    assert {outcome for line in lines for outcome in line.split()[1:3]} == {"read", "MonitorError", "StoreError"}


def test_having_no_memory_left_for_the_rows_is_our_failure(small: Path, take: Decode) -> None:
    class Full(_Rows):
        def readinto(self, _: object) -> int:
            raise pa.ArrowMemoryError("malloc of size 1 failed")

    take(small)
    assert helpers._keeper.helper is not None
    (data, sink), (status, said) = os.pipe(), os.pipe()
    os.write(said, b'{"ok": true}\n{"exit": 0}\n')
    full = Full(data, _Status(status, helpers._keeper.helper), Limits())
    with full, pytest.raises(tg.MonitorError, match="no memory"):
        full.tables()
    for file in (sink, said):
        os.close(file)
