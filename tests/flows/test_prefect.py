"""The Prefect flows, on a real server of Prefect's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep
from typing import Any

import pandas as pd
import pytest

import tidegate as tg
from tidegate_flows.prefect_artifacts import run_table
from tidegate_flows.prefect_patience import Patience

pytestmark = pytest.mark.more

Make = Callable[..., pd.DataFrame]

PROGRAM = """
import json, sys
from prefect import flow
from prefect.settings import PREFECT_API_KEY, PREFECT_API_URL, temporary_settings
contract, good, again, bad, folder, history, store = sys.argv[1:]

def main():
    from datetime import timedelta
    from tidegate_flows.by_hand import override
    from tidegate_flows.place import at
    from tidegate_flows.prefect_flows import build_reference, gate_backlog, gate_batch
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
    signed = {"supersede": True, "by": "ana", "reason": "sent again"}
    states["rewritten"] = gate_batch(contract, again, store, return_state=True, **signed)
    states["unsigned revision"] = gate_batch(contract, again, store, supersede=True, return_state=True)
    states["bad"] = gate_batch(contract, bad, store, return_state=True)
    states["parent"] = parent(bad, return_state=True)
    states["async_parent"] = asyncio.run(async_parent(bad, return_state=True))
    states["missing"] = gate_batch(contract, "nowhere.parquet", store, return_state=True)
    states["backlog"] = gate_backlog(contract, folder, store, return_state=True)
    with at(store) as place:
        override(place, "orders", timedelta(hours=1), by="ana", reason="a report is due")
    states["overridden backlog"] = gate_backlog(contract, folder, store, return_state=True)
    states["unsigned"] = build_reference(contract, history, store, approve_by="ana", return_state=True)
    states["built"] = build_reference(contract, history, store, approve_by="ana", reason="looked", return_state=True)
    facts = states["built"].result(raise_on_failure=False)
    ends = {k: [v.type.value, v.name, v.message] for k, v in states.items()}
    print(json.dumps({"told": told, "facts": facts, "states": ends}))

with temporary_settings(restore_defaults={PREFECT_API_URL, PREFECT_API_KEY}):
    main()
"""


@pytest.fixture
def told(tmp_path: Path, store: Path, contract_file: Callable[..., Path], make_orders: Make) -> dict[str, Any]:
    """What the flows said, run in a process of their own with a server and home of their own."""
    folder = tmp_path / "backlog"
    folder.mkdir()
    good, again, bad = tmp_path / "good.parquet", tmp_path / "again" / "good.parquet", tmp_path / "bad.parquet"
    again.parent.mkdir()
    make_orders(1).to_parquet(good, index=False)
    make_orders(1).iloc[:-1].to_parquet(again, index=False)
    make_orders(2).assign(amount=-1.0).to_parquet(bad, index=False)
    for day in (4, 3):
        make_orders(day).to_parquet(folder / f"2024-03-0{day + 1}.parquet", index=False)
    history = tmp_path / "history"
    history.mkdir()
    for day in range(6):
        make_orders(20 + day).to_parquet(history / f"day-{day}.parquet", index=False)
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
        [sys.executable, "-c", PROGRAM, *map(str, (contract_file(), good, again, bad, folder, history, store))],
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
    assert states["rewritten"][:2] == ["COMPLETED", "Completed"], "a signed revision"
    assert (states["unsigned revision"][0], "--by says nothing" in states["unsigned revision"][2]) == ("FAILED", True)
    assert states["bad"][:2] == ["FAILED", "Halted"]
    assert "impossible_values" in states["bad"][2]
    assert told["told"] == ["before", "async before"]
    assert states["parent"][0] == states["async_parent"][0] == "FAILED"
    assert states["missing"][0] == "FAILED"
    assert "no batch at" in states["missing"][2]
    assert states["backlog"][:2] == ["FAILED", "Halted"], "the breaker is open at its end"
    assert states["overridden backlog"][:2] == ["COMPLETED", "Completed"]
    assert states["unsigned"][0] == "FAILED"
    assert "names who and why" in states["unsigned"][2]
    assert states["built"][0] == "COMPLETED"
    assert (told["facts"]["blocks"], told["facts"]["approved_by"]) == (6, "ana")


AWAY = """
import json, socket, sys, time
contract, good, bad, folder, store = sys.argv[1:]
from prefect.settings import PREFECT_API_KEY, PREFECT_API_URL, temporary_settings
from tidegate_flows.gate import gate
from tidegate_flows.prefect_flows import gate_backlog, gate_batch

gate(good, contract, store=store + "-warm")  # what is imported and started once is not Prefect's doing
hole = socket.socket()
hole.bind(("127.0.0.1", 0))
hole.listen(100)  # it accepts, and never answers
told = {}

def timed(name, port, flow, batches):
    with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{port}/api"}, restore_defaults={PREFECT_API_KEY}):
        begun = time.monotonic()
        result = flow.fn(contract, batches, f"{store}-{name}")
        told[name] = [getattr(result, "name", None) or result.get("decision", result), time.monotonic() - begun]

timed("refused, good", 9, gate_batch, good)
timed("refused, bad", 9, gate_batch, bad)
timed("hangs, backlog", hole.getsockname()[1], gate_backlog, folder)
print(json.dumps(told))
"""


@pytest.mark.slow
def test_a_server_that_is_away_changes_no_verdict_and_costs_five_seconds_at_most(
    tmp_path: Path, store: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    (tmp_path / "backlog").mkdir()
    good, again, bad = tmp_path / "good.parquet", tmp_path / "again" / "good.parquet", tmp_path / "bad.parquet"
    again.parent.mkdir()
    make_orders(1).to_parquet(good, index=False)
    make_orders(1).iloc[:-1].to_parquet(again, index=False)
    make_orders(2).assign(amount=-1.0).to_parquet(bad, index=False)
    for day in range(3, 8):
        make_orders(day).to_parquet(tmp_path / "backlog" / f"day-{day}.parquet", index=False)
    done = subprocess.run(
        [sys.executable, "-c", AWAY, *map(str, (contract_file(), good, bad, tmp_path / "backlog", store))],
        env=os.environ | {"PREFECT_HOME": str(tmp_path / "prefect"), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    expected = ["publish", "Halted", {"publish": 5, "quarantine": 0, "hold": 0}]
    assert [told[name][0] for name in ("refused, good", "refused, bad", "hangs, backlog")] == expected
    assert max(seconds for _, seconds in told.values()) < 5 + 3, "the gate itself has the other three"
    assert "going on without Prefect's server" in done.stderr


def test_one_wait_is_shared_by_all_that_is_asked_of_a_server_for_a_batch() -> None:
    patience, asked = Patience(0.3), []

    def slow(name: str) -> str:
        asked.append(name)
        sleep(0.2)
        return name

    assert patience.attempt("a", lambda: slow("a")) == "a"
    patience.renew()
    assert patience.attempt("b", lambda: slow("b")) == "b"
    assert patience.attempt("c", lambda: slow("c")) is None, "what was left for this batch is over"
    patience.renew()
    assert patience.lost
    assert patience.attempt("d", lambda: slow("d")) is None
    assert asked == ["a", "b", "c"], "and it is not asked again"


def test_what_the_server_refuses_is_logged_and_others_are_still_asked(caplog: pytest.LogCaptureFixture) -> None:
    patience = Patience(5.0)

    def refuse() -> None:
        raise ValueError("no such key")

    assert patience.attempt("keep the link", refuse) is None
    assert "could not keep the link: ValueError: no such key" in caplog.text
    assert patience.attempt("go on", lambda: 1) == 1

    def cut() -> None:
        raise ConnectionRefusedError

    assert patience.attempt("tell", cut) is None
    assert patience.lost


def test_a_verdicts_table_holds_whatever_names_batches_have(
    make_contract: Callable[..., Any], make_orders: Make
) -> None:
    run = gate_table_run(make_contract(), make_orders(1))
    text = run_table(run, "file:///store/a.parquet")
    assert "### orders / a\\|b\\[c\\]" in text
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in lines} <= {3, 6}


def gate_table_run(contract: Any, frame: pd.DataFrame) -> Any:
    with TemporaryDirectory() as folder:
        run = tg.gate(frame, contract, store=folder)
    return replace(run, batch="a|b[c]")
