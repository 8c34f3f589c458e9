"""One part of one dataset, measured in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from tests.bench.alarms import tables
from tests.bench.alarms.exchangeable import exchangeable
from tests.bench.alarms.history import History, load
from tests.bench.alarms.order import ordered, seasonal
from tests.bench.alarms.peers.comparing import noise
from tests.bench.alarms.plan import Plan
from tests.bench.alarms.planted import hostile, planted
from tests.bench.alarms.shifts import shifts
from tests.bench.alarms.simulated import simulated
from tests.bench.alarms.sources import ORIGINS


def _facts(history: History) -> list[tables.Facts]:
    rows = [batch.rows for batch in history.batches]
    later, origin = history.contract.later_columns, history.origin
    columns = len([name for name in history.contract.columns if name not in later])
    return [
        tables.Facts(
            origin.name,
            origin.what,
            sum(rows),
            columns,
            len(rows),
            int(np.median(rows)),
            origin.package,
            origin.licence,
        )
    ]


MEASURES: dict[str, Callable[[History, Plan], Iterable[Any]]] = {
    "data": lambda history, _: _facts(history),
    "exchangeable": exchangeable,
    "order": ordered,
    "season": lambda history, plan: [seasonal(history, plan)],
    "shifts": shifts,
    "faults": lambda history, plan: [*planted(history, plan), hostile(history)],
    "peers": noise,
}


def measure(part: str, dataset: str, plan: Plan) -> list[Any]:
    """One part of one dataset; runs in a process of its own."""
    import pyarrow

    pyarrow.set_cpu_count(1)
    if part == "simulated":
        return list(simulated(plan))
    history = load(next(origin for origin in ORIGINS if origin.name == dataset))
    if plan.batches is not None and part != "data":
        history = replace(history, batches=history.batches[: plan.batches])
    return list(MEASURES[part](history, plan))
