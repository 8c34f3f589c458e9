"""Judge a batch again that was kept back: from its own bytes, under the contract as it is now."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from tidegate_contracts.batch import Source
from tidegate_contracts.circumstances import Circumstances
from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import StoreError
from tidegate_contracts.load import load_contract
from tidegate_flows import log_context
from tidegate_flows.circumstances import gather
from tidegate_flows.deciding import commit
from tidegate_flows.intake import Staged
from tidegate_flows.ledger import arrivals, batches, contracts, runs
from tidegate_flows.ledger.batches import Busy, Claim
from tidegate_flows.passage import Hand, look, stored
from tidegate_flows.place import Place
from tidegate_flows.signals import Answers, waiting
from tidegate_flows.stores.local import copy_hashed, writing
from tidegate_monitors.run import Run


class BusyError(StoreError):
    """Another worker is deciding on the same batch."""


def judge_again(
    place: Place,
    contract: Contract,
    row: Any,
    now: datetime | str,
    hand: Hand,
    *,
    upstream: Answers | None = None,
) -> Run:
    """Judge a kept batch again and carry the decision out.

    Args:
        place: Where it is kept.
        contract: What was promised.
        row: The run that speaks for it.
        now: The batch's time for the breaker.
        hand: Who has it judged.
        upstream: What it depends on, if that was asked anew: then it counts as coming now. None leaves it as it was.

    Raises:
        BusyError: Another worker is at it.
        StoreError: Its bytes are gone or are not those that were delivered.
    """
    named = log_context.bound(dataset=contract.name, batch=row.batch.partition("~")[0])
    with named, claimed(place, row) as claim, place.store.workspace() as folder:
        staged = stage_kept(place, row, folder)
        answers, came = _then(place, contract, row) if upstream is None else (upstream, None)
        seen = look(place, staged, contract, as_of=now, upstream=answers, came=came)
        return commit(place, claim, seen, contract, hand=hand)


def circumstances(place: Place, contract: Contract, row: Any) -> Circumstances:
    """What is known of a kept batch: its ages as they were when it came, tables and lists as they are now."""
    upstream, came = _then(place, contract, row)
    return gather(contract, now=came, arrived=came, upstream=upstream, delivered=row.rows)


def _then(place: Place, contract: Contract, row: Any) -> tuple[Answers, datetime | None]:
    """What upstream answered when a batch came, and when that was."""
    with place.ledger.read() as connection:
        came = arrivals.last(connection, row.dataset, row.batch)
    return waiting(contract, stored(place, row.run).findings), came


@contextmanager
def claimed(place: Place, row: Any) -> Iterator[Claim]:
    """The right to decide on a batch again; let go of if nothing was decided.

    Raises:
        BusyError: Another worker has it.
    """
    with place.ledger.begin() as connection:
        claim = batches.reclaim(
            connection, row.dataset, row.batch, now=place.seconds, lease=place.lease_for(connection, row.dataset)
        )
        now = runs.speaking_for(connection, row.dataset, row.batch)
        if isinstance(claim, Claim) and (now is None or now.run != row.run or now.discarded or not now.moved):
            batches.give_up(connection, claim)
            claim = Busy(0.0)  # somebody decided since the row was read
    if isinstance(claim, Busy):
        raise BusyError(f"another worker is deciding on batch {row.batch!r}", hint="run the same command again")
    try:
        yield claim
    except BaseException:
        with suppress(StoreError), place.ledger.begin() as connection:
            batches.give_up(connection, claim)
        raise


def stage_kept(place: Place, row: Any, folder: Path) -> Staged:
    """The bytes of a kept batch, copied and held against what was recorded.

    Raises:
        StoreError: They are gone, or are not those that were delivered.
    """
    described = json.loads(row.source)
    suffix = described["suffix"]
    kept = place.store.place(row.dataset, "quarantine") / row.batch / f"batch{suffix or '.bin'}"
    if not kept.is_file():
        raise StoreError(f"{kept} is gone", hint="it was kept back and is needed to judge the batch again")
    with writing(folder), kept.open("rb") as source:
        digest, size = copy_hashed(source, folder / f"batch{suffix}")
    if digest != row.sha256:
        raise StoreError(f"{kept} is not the file that was delivered", found=digest, allowed=row.sha256)
    return Staged(folder / f"batch{suffix}", Source(described["name"], suffix, digest, size), row.batch)


def last_contract(place: Place, dataset: str) -> Contract | None:
    """The contract file that a dataset was last gated with, as it is now; None if it was an object or is gone."""
    with place.ledger.read() as connection:
        path = contracts.load(connection).get(dataset, {}).get("path")
    if path is None or not Path(path.rpartition(":")[0]).is_file():
        return None
    return load_contract(path)
