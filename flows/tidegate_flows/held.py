"""Held batches: judged again and let through when the breaker closes."""

from __future__ import annotations

import logging
from datetime import datetime

from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import TidegateError, UsageError
from tidegate_flows.ledger import breakers, contracts, runs
from tidegate_flows.passage import Hand, tell_breaker
from tidegate_flows.place import Place
from tidegate_flows.recover import recover
from tidegate_flows.rejudge import BusyError, judge_again, last_contract
from tidegate_flows.signature import require_signature
from tidegate_monitors.breaker import Breaker, Decision, Policy, State
from tidegate_monitors.run import Run

logger = logging.getLogger("tidegate.gate")


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
        try:
            run = judge_again(place, contract, row, now, Hand(by))
        except BusyError:
            continue
        except TidegateError as error:  # it must not stop the batch that has just come
            logger.warning("held batch %s/%s cannot be judged: %s", row.dataset, row.batch, error)
            break
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
    require_signature(by, reason)
    recover(place, dataset)
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
    contract = last_contract(place, dataset)
    if contract is None:
        return after, []
    released = release(place, contract, now, by=by)
    with place.ledger.begin() as connection:
        return breakers.load(connection, dataset), released
