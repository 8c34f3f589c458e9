"""What the stream watches under a reference, fitted once a process."""

from __future__ import annotations

from threading import Lock

import numpy as np

from tidegate_contracts.contract import Contract
from tidegate_monitors.levels import block_levels
from tidegate_monitors.reference import Reference
from tidegate_monitors.watch import Watch, average_run_length

_ONE_IN = 50
"""The budget that is meant where a contract states none."""


_KEPT = 8

_lock = Lock()
_watches: dict[tuple[str, str], Watch] = {}


def watch_of(reference: Reference, contract: Contract) -> Watch:
    """The watch of a reference's columns under a contract."""
    key = reference.sha256, contract.sha256
    with _lock:
        found = _watches.get(key)
        if found is None:
            while len(_watches) >= _KEPT:
                _watches.pop(next(iter(_watches)))
            found = _watches[key] = _fitted(reference, contract)
        return found


def _fitted(reference: Reference, contract: Contract) -> Watch:
    found = block_levels(reference, contract)
    days = [block.window.start.astimezone(contract.zone).date() if block.window else None for block in reference.blocks]
    budget = contract.alarm_budget.one_in if contract.alarm_budget else _ONE_IN
    floors = {column: contract.effect_floor_of(column) for column in found}
    noise = {column: float(np.median(reference.counts(column).sum(axis=1).clip(1)) ** -0.5) for column in found}
    return Watch.fit(
        reference.sha256,
        found,
        days,
        run_length=average_run_length(budget),
        effect_floor=floors,
        noise=noise,
        spacing=_spacing(reference, contract),
    )


def _spacing(reference: Reference, contract: Contract) -> float:
    """How many batches come from one block to the next, by the contract's cadence; 1 where it declares none."""
    starts = sorted(block.window.start for block in reference.blocks if block.window)
    if contract.cadence is None or len(starts) < 2:
        return 1.0
    gap = (starts[-1] - starts[0]) / (len(starts) - 1)
    return max(1.0, round(gap / contract.cadence, 1))
