"""Held batches: judged again and let through when the breaker closes."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from tidegate_contracts.batch import Source
from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import StoreError, UsageError
from tidegate_contracts.load import load_contract
from tidegate_flows.intake import Staged
from tidegate_flows.ledger import batches, breakers, contracts, runs
from tidegate_flows.ledger.batches import Busy
from tidegate_flows.passage import commit, look, tell_breaker
from tidegate_flows.place import Place
from tidegate_flows.stores.local import copy_hashed, writing
from tidegate_monitors.breaker import Breaker, Decision, Policy, State
from tidegate_monitors.run import Run


def release_due(place: Place, contract: Contract, now: datetime) -> list[Run]:
    """Let held batches through if the breaker allows it by now.

    If its cool-down is over, the oldest held batch is the probe, and the others follow if it passes.
    """
    policy = Policy(contract.failure_threshold, contract.cool_down)
    with place.ledger.begin() as connection:
        breaker = breakers.load(connection, contract.name)
        waiting = runs.held(connection, contract.name)
    if not waiting or breaker.admit(waiting[0].batch, now, policy).state is State.OPEN:
        return []
    return release(place, contract, now, by="tidegate")


def release(place: Place, contract: Contract, now: datetime, *, by: str) -> list[Run]:
    """Judge the held batches again, in event order, until one is critical or still has to wait."""
    with place.ledger.begin() as connection:
        waiting = runs.held(connection, contract.name)
    released = []
    for row in waiting:
        run = _again(place, contract, row, now, by=by)
        if run is None:
            continue
        released.append(run)
        if run.decision is not Decision.PUBLISH:
            break
    return released


def close(place: Place, dataset: str, *, by: str, reason: str) -> tuple[Breaker, list[Run]]:
    """Close a dataset's breaker by hand, and release what it held.

    Held batches are judged again under the contract file that the dataset was last gated with; where that file is
    gone (or the contract was an object), they are released when the next batch comes.

    Raises:
        UsageError: The ledger knows no such dataset.
        StoreError: The ledger or store refused.
    """
    now = place.clock()
    with place.ledger.begin() as connection:
        known = contracts.load(connection)
        if dataset not in known:
            raise UsageError("no such dataset", found=repr(dataset), allowed=", ".join(known) or "none was gated yet")
        before = breakers.load(connection, dataset)
        after = before.close(now, f"{by}: {reason}")
        breakers.save(connection, dataset, after)
        if before.state is not after.state:
            tell_breaker(connection, dataset, after, now, by=by, reason=reason)
    path = known[dataset].get("path")
    if path is None or not Path(path.partition(".py:")[0]).with_suffix(".py").is_file():
        return after, []
    released = release(place, load_contract(path), now, by=by)
    with place.ledger.begin() as connection:
        return breakers.load(connection, dataset), released


def _again(place: Place, contract: Contract, row: Any, now: datetime, *, by: str) -> Run | None:
    with place.ledger.begin() as connection:
        claim = batches.reclaim(connection, contract.name, row.batch, now=place.seconds, lease=place.lease)
    if isinstance(claim, Busy):
        return None
    try:
        with place.store.workspace() as folder:
            staged = _stage(place, row, folder)
            seen = look(place, staged, contract, as_of=now, started=perf_counter())
            return commit(place, claim, seen, contract, by=by)
    except BaseException:
        with suppress(StoreError), place.ledger.begin() as connection:
            batches.give_up(connection, claim)
        raise


def _stage(place: Place, row: Any, folder: Path) -> Staged:
    """The held bytes, copied and held against what was recorded."""
    described = json.loads(row.source)
    suffix = described["suffix"]
    kept = place.store.place(row.dataset, "quarantine") / row.batch / f"batch{suffix or '.bin'}"
    with writing(kept), kept.open("rb") as source:
        digest, size = copy_hashed(source, folder / f"batch{suffix}")
    if digest != row.sha256:
        raise StoreError(f"{kept} is not the file that was delivered", found=digest, allowed=row.sha256)
    return Staged(folder / f"batch{suffix}", Source(described["name"], suffix, digest, size), row.batch)
