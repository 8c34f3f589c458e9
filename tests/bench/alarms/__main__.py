"""Measure alarms: ``make bench-alarms``, or ``python -m tests.bench.alarms [--quick] [--only PART …]``.

A full run renews the tables in ``docs/alarms.md`` and the pictures; a quick one prints its tables.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import Any

from tests.bench.alarms import page, picture, tables
from tests.bench.alarms.history import load
from tests.bench.alarms.home import ROOT
from tests.bench.alarms.measure import measure
from tests.bench.alarms.plan import FULL, QUICK, Plan
from tests.bench.alarms.sources import ORIGINS

PAGE = ROOT / "docs" / "alarms.md"
PICTURES = ROOT / "docs" / "pictures"
_PICTURED_BLOCKS = 60
_PICTURED = {
    "peers": "Real batches with at least one alarm",
    "exchangeable": "The mean rate, and that of one reference in twenty",
}
TABLES: dict[str, Callable[[Any], str]] = {
    "data": tables.data,
    "exchangeable": tables.exchangeable,
    "order": tables.order,
    "season": tables.season,
    "simulated": tables.simulated,
    "shifts": tables.shifts,
    "faults": tables.faults,
    "peers": tables.peers,
}


def run(parts: list[str], names: list[str], plan: Plan, workers: int) -> dict[str, list[Any]]:
    """All parts of all datasets on a few processes; what was found by part, in the order of the datasets."""
    wanted = [(part, name) for part in parts for name in (names if part != "simulated" else ["-"])]
    started = time.monotonic()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    found: dict[tuple[str, str], list[Any]] = {}
    for origin in ORIGINS:  # once, here: two processes must not write the same cache
        if origin.name in names:
            load(origin)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        tasks: dict[Future[list[Any]], tuple[str, str]] = {pool.submit(measure, *task, plan): task for task in wanted}
        for number, done in enumerate(as_completed(tasks), 1):
            found[tasks[done]] = done.result()
            _tell(f"{number}/{len(tasks)} {' of '.join(tasks[done])}, {time.monotonic() - started:.0f} s")
    return {part: [item for task in wanted if task[0] == part for item in found[task]] for part in parts}


def _tell(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="python -m tests.bench.alarms", description="How often alarms are false.")
    options.add_argument("--quick", action="store_true", help="a few minutes, to see that everything runs; prints only")
    options.add_argument("--only", nargs="+", choices=sorted(TABLES), help="these parts")
    options.add_argument("--datasets", nargs="+", choices=[origin.name for origin in ORIGINS], help="these datasets")
    options.add_argument("--print", action="store_true", dest="printed", help="print tables and leave the page alone")
    options.add_argument("--workers", type=int, default=2, help="processes (2)")
    return options.parse_args()


def main() -> None:
    """Measure, then print or write."""
    chosen = _options()
    parts = [name for name in TABLES if not chosen.only or name in chosen.only]
    names = [origin.name for origin in ORIGINS if not chosen.datasets or origin.name in chosen.datasets]
    found = run(parts, names, QUICK if chosen.quick else FULL, chosen.workers)
    written = {part: TABLES[part](found[part]) for part in parts}
    if chosen.quick or chosen.printed or chosen.datasets:
        sys.stdout.write("\n\n".join(f"## {part}\n\n{text}" for part, text in written.items()) + "\n")
        return
    for part, text in _pictures(found).items():
        place = PICTURES / f"alarms-{part}.svg"
        picture.write(text, place)
        written[part] = f"![{_PICTURED[part]}]({place.relative_to(PAGE.parent)})\n\n{written[part]}"
    page.write(PAGE, written)


def _pictures(found: dict[str, list[Any]]) -> dict[str, str]:
    """The pictures of the parts that were measured."""
    made = {}
    if "peers" in found:
        made["peers"] = picture.of_peers(found["peers"])
    if "exchangeable" in found:
        made["exchangeable"] = picture.of_rates(found["exchangeable"], _PICTURED_BLOCKS)
    return made


if __name__ == "__main__":
    main()
