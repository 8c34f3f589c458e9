"""The Prefect flows, on a real server of Prefect's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

Make = Callable[..., pd.DataFrame]

PROGRAM = """
import json, sys
from prefect import flow
from prefect.settings import PREFECT_API_KEY, PREFECT_API_URL, temporary_settings
contract, good, bad, folder, store = sys.argv[1:]

def main():
    from tidegate_flows.prefect_flows import gate_backlog, gate_batch
    told = []

    @flow
    def parent(batch):
        told.append("before")
        gate_batch(contract, batch, store)
        told.append("after")

    @flow
    async def async_parent(batch):
        told.append("async before")
        gate_batch(contract, batch, store)
        told.append("async after")

    import asyncio
    states = {}
    states["good"] = gate_batch(contract, good, store, return_state=True)
    states["bad"] = gate_batch(contract, bad, store, return_state=True)
    states["parent"] = parent(bad, return_state=True)
    states["async_parent"] = asyncio.run(async_parent(bad, return_state=True))
    states["missing"] = gate_batch(contract, "nowhere.parquet", store, return_state=True)
    states["backlog"] = gate_backlog(contract, folder, store, return_state=True)
    print(json.dumps({"told": told, "states": {k: [v.type.value, v.name, v.message] for k, v in states.items()}}))

with temporary_settings(restore_defaults={PREFECT_API_URL, PREFECT_API_KEY}):
    main()
"""


@pytest.fixture
def told(tmp_path: Path, store: Path, contract_file: Callable[..., Path], make_orders: Make) -> dict[str, Any]:
    """What the flows said, run in a process of their own with a server and home of their own."""
    folder = tmp_path / "backlog"
    folder.mkdir()
    good, bad = tmp_path / "good.parquet", tmp_path / "bad.parquet"
    make_orders(1).to_parquet(good, index=False)
    make_orders(2).assign(amount=-1.0).to_parquet(bad, index=False)
    for day in (4, 3):
        make_orders(day).to_parquet(folder / f"2024-03-0{day + 1}.parquet", index=False)
    environment = os.environ | {
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PREFECT_API_URL": "",
        "PREFECT_API_KEY": "",
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, (contract_file(), good, bad, folder, store))],
        env=environment,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


@pytest.mark.slow
def test_a_halt_ends_the_flow_failed_by_name_and_stops_parents_before_their_next_step(told: dict[str, Any]) -> None:
    states = told["states"]
    assert states["good"][:2] == ["COMPLETED", "Completed"]
    assert states["bad"][:2] == ["FAILED", "Halted"]
    assert "impossible_values" in states["bad"][2]
    assert told["told"] == ["before", "async before"]
    assert states["parent"][0] == states["async_parent"][0] == "FAILED"
    assert states["missing"][0] == "FAILED"
    assert "no batch at" in states["missing"][2]
    assert states["backlog"][:2] == ["FAILED", "Halted"], "the breaker is open at its end"
