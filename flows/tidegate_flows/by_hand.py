"""What people do to a breaker, each act signed and in the audit: trip, probe, close, override."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from tidegate_contracts.errors import UsageError
from tidegate_flows.held import release
from tidegate_flows.ledger import audit, breakers, contracts, counters, runs
from tidegate_flows.place import Place
from tidegate_flows.recover import recover
from tidegate_flows.rejudge import last_contract
from tidegate_flows.signature import require_signature
from tidegate_monitors.breaker import Breaker, Override, State
from tidegate_monitors.run import Run

LONGEST_OVERRIDE = timedelta(days=31)


def trip(place: Place, dataset: str, *, by: str, reason: str) -> Breaker:
    """Open a dataset's breaker: good batches are held from now on, until somebody closes it or asks for a probe.

    An override ends. A breaker that is open already is from now on open by hand: no cool-down has it tried.

    Raises:
        UsageError: The ledger knows no such dataset, or nobody signs.
        StoreError: The ledger refused.
    """
    require_signature(by, reason)
    now = place.clock()
    with place.ledger.begin() as connection:
        before = _known(connection, dataset)
        after = before.trip(now, f"{by}: {reason}")
        _keep(connection, dataset, before, after, "tripped", now, by=by, reason=reason)
    return after


def probe(place: Place, dataset: str, *, by: str, reason: str) -> tuple[Breaker, list[Run]]:
    """Let one batch try whether all is well again: the oldest held one, judged at once, else the next that comes.

    If it passes the breaker closes and the other held batches follow; if it fails, or has no verdict within the lease,
    the breaker is open again.

    Raises:
        UsageError: The ledger knows no such dataset, its breaker is closed, or nobody signs.
        ContractError: The contract file cannot be used as it is now; then nothing was done.
        StoreError: The ledger or store refused.
    """
    require_signature(by, reason)
    recover(place, dataset)
    now, contract = place.clock(), last_contract(place, dataset)
    with place.ledger.begin() as connection:
        before = _known(connection, dataset)
        if before.state is State.CLOSED:
            raise UsageError(f"the breaker of {dataset!r} is closed, nothing to try", hint="batches pass as they come")
        first = runs.first_held(connection, dataset)
        oldest = first.batch if first is not None and contract is not None else None
        until = now + timedelta(seconds=place.lease_for(connection, dataset))
        after = before.ask_probe(oldest, now, until, f"{by}: {reason}")
        _keep(connection, dataset, before, after, "half_open", now, by=by, reason=reason)
    if contract is None or oldest is None:
        return after, []
    return _released(place, dataset, release(place, contract, now, by=by))


def close(place: Place, dataset: str, *, by: str, reason: str) -> tuple[Breaker, list[Run]]:
    """Close a dataset's breaker by hand, and release what it held.

    Held batches are judged again under the contract file that the dataset was last gated with; where that file is
    gone (or the contract was an object), they are released when the next batch comes.

    Raises:
        UsageError: The ledger knows no such dataset, or nobody signs.
        ContractError: The contract file cannot be used as it is now; then nothing was done.
        StoreError: The ledger or store refused.
    """
    require_signature(by, reason)
    recover(place, dataset)
    now, contract = place.clock(), last_contract(place, dataset)  # a broken file stops this before it is done
    with place.ledger.begin() as connection:
        before = _known(connection, dataset)
        after = before.close(now, f"{by}: {reason}")
        _keep(connection, dataset, before, after, "closed", now, by=by, reason=reason)
    if contract is None:
        return after, []
    return _released(place, dataset, release(place, contract, now, by=by))


def override(place: Place, dataset: str, length: timedelta, *, by: str, reason: str) -> tuple[Breaker, list[Run]]:
    """Let good batches pass although the breaker is not closed, for a time; critical ones are quarantined as ever.

    It ends by itself, by the store's clock, or when the breaker is tripped or closes. Held batches are released at
    once, or before the next batch where the contract's file is not known.

    Raises:
        UsageError: The ledger knows no such dataset, its breaker is closed, nobody signs, or the time is none or more
            than 31 days.
        ContractError: The contract file cannot be used as it is now; then nothing was done.
        StoreError: The ledger or store refused.
    """
    require_signature(by, reason)
    if not timedelta(0) < length <= LONGEST_OVERRIDE:
        raise UsageError("an override of this length", found=str(length), allowed="more than none, at most 31 days")
    recover(place, dataset)
    now, contract = place.clock(), last_contract(place, dataset)
    with place.ledger.begin() as connection:
        before = _known(connection, dataset)
        if before.state is State.CLOSED:
            raise UsageError(
                f"the breaker of {dataset!r} is closed, nothing to override",
                hint="what is allowed now would stand against whoever trips it later; say it when it is open",
            )
        after = replace(before, override=Override(now + length, by, reason))
        breakers.save(connection, dataset, after)
        counters.bump(connection, "overrides_total", dataset)
        audit.append(connection, dataset, "breaker.overridden", at=now, by=by, reason=f"for {length}: {reason}")
    if contract is None:
        return after, []
    return _released(place, dataset, release(place, contract, now, by=by))


def _known(connection: Connection, dataset: str) -> Breaker:
    known = contracts.load(connection)
    if dataset not in known:
        raise UsageError("no such dataset", found=repr(dataset), allowed=", ".join(known) or "none was gated yet")
    return breakers.load(connection, dataset)


def _keep(
    connection: Connection,
    dataset: str,
    before: Breaker,
    after: Breaker,
    event: str,
    now: datetime,
    *,
    by: str,
    reason: str,
) -> None:
    """Keep what somebody made of a breaker; the act is in the audit whether it changed the state or not."""
    breakers.save(connection, dataset, after)
    if before.state is not after.state:
        counters.bump(connection, "breaker_transitions_total", dataset, to=after.state.value)
    audit.append(connection, dataset, f"breaker.{event}", at=now, by=by, reason=reason)


def _released(place: Place, dataset: str, released: list[Run]) -> tuple[Breaker, list[Run]]:
    with place.ledger.read() as connection:
        return breakers.load(connection, dataset), released
