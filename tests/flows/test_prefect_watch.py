"""The flow that watches: what was stopped is told, also where the look breaks off."""

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

import tidegate as tg
from tidegate_flows.landing import deliveries, landed

pytestmark = pytest.mark.more

Make = Callable[..., pd.DataFrame]

PROGRAM = """
import json, sys
contract, store, *folders = sys.argv[1:]
from prefect.settings import PREFECT_API_KEY, PREFECT_API_URL, temporary_settings
from tidegate_flows.prefect_flows import watch_arrivals

told = []
with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}, restore_defaults={PREFECT_API_KEY}):
    for number, folder in enumerate(folders):
        try:
            end = watch_arrivals.fn(contract, folder, f"{store}-{number}")
            told.append([end.name, end.message] if hasattr(end, "message") else ["", end])
        except Exception as error:
            told.append([type(error).__name__, str(error)])
print(json.dumps(told))
"""

RAISES = """
    @pa.check("note")
    def no_storm(cls, notes):
        if (notes == "storm").any():
            raise RuntimeError("storm")
        return notes.notna() | True
    class Config:
"""


@pytest.fixture
def told(
    tmp_path: Path, store: Path, contract_file: Callable[..., Path], make_orders: Make
) -> Callable[..., list[list[Any]]]:
    """What the flow gives of some landing places, each with batches of a store of its own."""
    contract = contract_file("failure_threshold=2")
    contract.write_text(contract.read_text().replace("    class Config:\n", RAISES.lstrip("\n")))
    frames = {
        "good": make_orders(1),
        "bad": make_orders(2).assign(amount=-1.0),
        "storm": make_orders(3).assign(note="storm"),
    }

    def tell(*places: tuple[str, ...]) -> list[list[Any]]:
        folders = [tmp_path / f"landing-{number}" for number in range(len(places))]
        for folder, names in zip(folders, places, strict=True):
            folder.mkdir()
            for number, name in enumerate(names):
                path = folder / f"{number}-{name}.parquet"
                frames[name].to_parquet(path, index=False)
                os.utime(path, (1.6e9, 1.6e9))
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(contract), str(store), *map(str, folders)],
            env=os.environ | {"PREFECT_HOME": str(tmp_path / "prefect"), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found: list[list[Any]] = json.loads(done.stdout.splitlines()[-1])
        return found

    return tell


def test_a_look_that_breaks_off_tells_what_was_stopped_before_and_why_it_broke_off(
    told: Callable[..., list[list[Any]]],
) -> None:
    broken, twin, nothing, good = told(("good", "bad", "storm"), ("good", "bad"), ("good", "storm"), ("good",))
    assert broken[0] == "Halted"
    assert broken[1].startswith("1-bad: quarantine; a check of contract 'orders' raised; found: no_storm on note")
    assert twin == ["Halted", "1-bad: quarantine"]
    assert nothing[0] == "MonitorError", "nothing was stopped: the look is tried again"
    assert good == ["", {"batches": {"0-good": "publish"}, "waiting": {}}]


def test_a_folder_of_deliveries_has_what_the_watch_would_take(tmp_path: Path, make_orders: Make) -> None:
    for name in ("b.parquet", "a.csv.gz", "_a.parquet", ".a.parquet", "c.parquet.tmp", "notes.txt"):
        (tmp_path / name).write_bytes(b"rows")
    names = [path.name for path in deliveries(tmp_path)]
    assert names == [item.name for item in landed(str(tmp_path))]
    assert names == ["a.csv.gz", "b.parquet"]
    with pytest.raises(tg.UsageError, match="no folder of batches"):
        deliveries(tmp_path / "b.parquet")
