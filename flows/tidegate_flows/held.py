"""Held batches: judged again and let through when the breaker closes."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import TidegateError
from tidegate_flows.ledger import breakers, runs
from tidegate_flows.passage import Hand
from tidegate_flows.place import Place
from tidegate_flows.rejudge import BusyError, judge_again
from tidegate_flows.signature import THE_GATE
from tidegate_monitors.breaker import Decision, Policy, State
from tidegate_monitors.run import Run

logger = logging.getLogger("tidegate.gate")


def release_due(place: Place, contract: Contract, now: datetime) -> list[Run]:
    """Let held batches through if the breaker allows it by now.

    If its cool-down is over, the oldest held batch is the probe, and the others follow if it passes. While somebody
    has overridden it they pass one after the other.
    """
    policy = Policy(contract.failure_threshold, contract.cool_down)
    clock = place.clock()
    with place.ledger.read() as connection:
        breaker = breakers.load(connection, contract.name).lost(clock, now)
        first = runs.first_held(connection, contract.name)
    if first is None:
        return []
    found = breaker.admit(first.batch, now, policy)
    others_turn = found.state is State.HALF_OPEN and found.probe != first.batch
    if (found.state is State.OPEN or others_turn) and not breaker.overridden(Decision.HOLD, clock):
        return []
    return release(place, contract, now, by=THE_GATE)


def release(place: Place, contract: Contract, now: datetime, *, by: str) -> list[Run]:
    """Judge the held batches again, in event order, until one is critical or still has to wait.

    Whoever is at the first of them goes on with those behind it, so that their order holds: then nothing is done here.
    """
    released: list[Run] = []
    while (row := _first(place, contract.name)) is not None:
        try:
            run = judge_again(place, contract, row, now, Hand(by))
        except BusyError:
            break
        except TidegateError as error:  # it must not stop the batch that has just come
            logger.warning("held batch %s/%s cannot be judged: %s", row.dataset, row.batch, error)
            break
        released.append(run)
        if run.decision is not Decision.PUBLISH:
            break
    return released


def go_on(place: Place, contract: Contract) -> None:
    """Release what comes behind a batch that was claimed: whoever closed the breaker meanwhile has left it to us."""
    with place.ledger.read() as connection:
        closed = breakers.load(connection, contract.name).state is State.CLOSED
    if closed:
        release(place, contract, place.clock(), by=THE_GATE)


def _first(place: Place, dataset: str) -> Row[Any] | None:
    with place.ledger.read() as connection:
        return runs.first_held(connection, dataset)
