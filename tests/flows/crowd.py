"""Many processes at the same batches at the same time, again and again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.flows.invariants import Invariants
from tidegate_flows.ledger import runs
from tidegate_flows.place import at
from tidegate_flows.stores.local import sha256_of

CONTRACT = """
import pandera.pandas as pa
import tidegate as tg

class Rows(pa.DataFrameModel):
    key: str = pa.Field(unique=True)
    n: int = pa.Field(ge=0)

contract = tg.Contract(
    name="crowd", version="1.0.0", owner="tests", schema=Rows, key=("key",), tolerance=0.5, failure_threshold=2
)
"""

PROGRAM = """
import multiprocessing, pathlib, sys
import pandas, pandera.pandas, tidegate as tg
from tidegate_flows.gate import gate_at
from tidegate_flows.place import at
contract, folder, store, workers = sys.argv[1:]
batches, loaded = sorted(pathlib.Path(folder).glob("*.parquet")), tg.load_contract(contract)

def work(start, runs):
    with at(store) as place:
        for batch in batches:
            start.wait()
            run = gate_at(place, batch, loaded)
            runs.put((run.batch, run.id))

processes = multiprocessing.get_context("fork")
start, found = processes.Barrier(int(workers)), processes.Queue()
crowd = [processes.Process(target=work, args=(start, found)) for _ in range(int(workers))]
[one.start() for one in crowd]
told = {found.get(timeout=120) for _ in range(len(batches) * len(crowd))}
[one.join(60) for one in crowd]
assert [one.exitcode for one in crowd] == [0] * len(crowd)
assert len(told) == len(batches), "two verdicts of one batch"
"""


def crowd(folder: Path, store: Path, *, workers: int, rounds: int) -> None:
    """In each round all of them come with the same batch at once; some batches are good, some partly, some bad."""
    (folder / "batches").mkdir()
    contract, delivered = folder / "crowd.py", {}
    contract.write_text(CONTRACT)
    for number in range(rounds):
        keys, values = [f"{number}-{row}" for row in range(3)], [1, 2, -1 if number % 3 == 1 else 3]
        path = folder / "batches" / f"b{number:05}.parquet"
        pq.write_table(pa.table({"key": keys, "n": [-1, -1, -1] if number % 10 == 9 else values}), path)
        delivered[sha256_of(path)] = keys
    command = [sys.executable, "-c", PROGRAM, str(contract), str(folder / "batches"), str(store), str(workers)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    with at(store) as place:
        with place.ledger.read() as connection:
            assert len(runs.history(connection, "crowd")) == rounds
        Invariants(place, "crowd", "key", delivered).look_at_rest()
