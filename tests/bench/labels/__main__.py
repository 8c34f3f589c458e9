"""Measure what labels say: ``make bench-labels``, or ``python -m tests.bench.labels [--quick] [--only PART …]``.

A full run renews the tables in ``docs/labels_measured.md``; a quick one prints its tables.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import Any

from tests.bench.alarms import page
from tests.bench.alarms.home import ROOT
from tests.bench.labels.parts import PARTS, measured
from tests.bench.labels.plan import FULL, QUICK, Plan

PAGE = ROOT / "docs" / "labels_measured.md"


def run(parts: list[str], plan: Plan, workers: int) -> dict[str, list[Any]]:
    """All parts on a few processes; what was found by part, in the order of its tasks."""
    started = time.monotonic()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    wanted = [(part, task) for part in parts for task in PARTS[part].tasks]
    found: dict[tuple[str, tuple[Any, ...]], list[Any]] = {}
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        tasks: dict[Future[list[Any]], tuple[str, tuple[Any, ...]]] = {
            pool.submit(measured, part, task, plan): (part, task) for part, task in wanted
        }
        for number, done in enumerate(as_completed(tasks), 1):
            part, task = tasks[done]
            found[part, task] = done.result()
            _tell(f"{number}/{len(tasks)} {part} {' '.join(map(str, task))}, {time.monotonic() - started:.0f} s")
    return {part: [item for task in PARTS[part].tasks for item in found[part, task]] for part in parts}


def _tell(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="python -m tests.bench.labels", description="What labels say, and how well.")
    options.add_argument("--quick", action="store_true", help="a minute, to see that everything runs; prints only")
    options.add_argument("--only", nargs="+", choices=sorted(PARTS), help="these parts")
    options.add_argument("--print", action="store_true", dest="printed", help="print tables and leave the page alone")
    options.add_argument("--workers", type=int, default=2, help="processes (2)")
    return options.parse_args()


def main() -> None:
    """Measure, then print or write."""
    chosen = _options()
    parts = [name for name in PARTS if not chosen.only or name in chosen.only]
    found = run(parts, QUICK if chosen.quick else FULL, chosen.workers)
    written = {part: PARTS[part].written(found[part]) for part in parts}
    if chosen.quick or chosen.printed:
        sys.stdout.write("\n\n".join(f"## {part}\n\n{text}" for part, text in written.items()) + "\n")
        return
    page.write(PAGE, written)


if __name__ == "__main__":
    main()
