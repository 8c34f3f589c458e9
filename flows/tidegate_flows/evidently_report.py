"""Evidently's report of a sample of rows, made by a process of its own.

Evidently takes seconds to import, may hang or die on odd data, and knows how to report its use to its makers. So it
runs in a child with a time limit, ``DO_NOT_TRACK`` set, and Python's ways to a network and to other programs closed;
what fails in it is one error here, and nothing else is lost.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tidegate_contracts.errors import MonitorError
from tidegate_contracts.types import LogicalType, logical_type
from tidegate_flows.stores.local import replace_durably, writing

COLUMNS_MAXIMUM = 60
SECONDS_MAXIMUM = 300.0
_CATEGORIES_MAXIMUM = 200
_KINDS: Mapping[LogicalType, str] = {
    LogicalType.INTEGER: "numerical",
    LogicalType.NUMBER: "numerical",
    LogicalType.TEXT: "categorical",
    LogicalType.CATEGORY: "categorical",
    LogicalType.BOOLEAN: "categorical",
    LogicalType.TIME: "datetime",
}


def evidently_report(current: Any, reference: Any, target: Path, *, seconds: float = SECONDS_MAXIMUM) -> None:
    """Write Evidently's page: how two samples differ, or a summary of one.

    Args:
        current: Rows of the batch, a ``pyarrow.Table``; of its columns the first 60 that have a kind are reported.
        reference: Rows to hold them against; None for none.
        target: The file.
        seconds: How long it may take.

    Raises:
        MonitorError: Evidently is not installed, failed, or took too long; nothing was written.
        StoreError: The file cannot be written.
    """
    if find_spec("evidently") is None:
        raise MonitorError("Evidently is not installed", hint="pip install 'tidegate[report]'")
    kinds = _kinds(current, reference)
    if not current.num_rows or not kinds:
        raise MonitorError("there is nothing to give to Evidently", found="no rows or no columns that may be shown")
    with TemporaryDirectory(prefix="tidegate-") as name:
        folder = Path(name)
        pq.write_table(_told(current, kinds), folder / "current.parquet")
        if reference is not None:
            pq.write_table(_told(reference, kinds), folder / "reference.parquet")
        (folder / "kinds.json").write_text(json.dumps(kinds), encoding="utf-8")
        _run(folder, seconds)
        with writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            replace_durably(target, (folder / "page.html").read_bytes())


def _run(folder: Path, seconds: float) -> None:
    command = [sys.executable, "-P", "-m", "tidegate_flows.evidently_child", str(folder)]
    quiet = {"DO_NOT_TRACK": "1", "ITERATIVE_DO_NOT_TRACK": "1", "EVIDENTLY_DISABLE_TELEMETRY": "1"}
    homes = ("MPLCONFIGDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")
    here = {"MPLBACKEND": "Agg"} | dict.fromkeys(homes, str(folder))
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            command, env=os.environ | quiet | here, cwd=folder, capture_output=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise MonitorError("Evidently took too long", found=f"more than {seconds:g} s") from None
    except OSError as error:
        raise MonitorError("Evidently cannot be started", found=error.strerror) from error
    if done.returncode or not (folder / "page.html").is_file():
        last = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        kind = last.partition(":")[0]  # of the error: its words may hold values
        raise MonitorError("Evidently failed", found=kind or f"exit code {done.returncode}")


def _kinds(current: Any, reference: Any) -> dict[str, str]:
    """The columns that both have, each with its kind for Evidently; texts that are all different have none."""
    names = [name for name in current.column_names if reference is None or name in reference.column_names]
    found: dict[str, str] = {}
    for name in names:
        sides = [table.column(name) for table in (current, reference) if table is not None]
        kind = _KINDS.get(logical_type(sides[0].type))
        if kind is None or len(found) == COLUMNS_MAXIMUM or any(side.null_count == len(side) for side in sides):
            continue
        if kind == "categorical" and any(pc.count_distinct(side).as_py() > _CATEGORIES_MAXIMUM for side in sides):
            continue
        found[name] = kind
    return found


def _told(table: Any, kinds: Mapping[str, str]) -> Any:
    """The columns as Evidently takes them: categories as text."""
    columns = {name: table.column(name) for name in kinds}
    return pa.table({n: pc.cast(c, pa.string()) if kinds[n] == "categorical" else c for n, c in columns.items()})
