"""The blocks accepted last: what batches are held against besides the reference that somebody approved."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Lock

from sqlalchemy import Connection

from tidegate_contracts.batch import Window
from tidegate_contracts.contract import Contract
from tidegate_flows.ledger import runs, streams
from tidegate_flows.place import Place
from tidegate_flows.watched import watch_of
from tidegate_monitors.block import Block
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Reference
from tidegate_monitors.stream import slow_drifts

YOUNG = timedelta(days=7)
_KEPT = 512

_blocks: OrderedDict[str, Block] = OrderedDict()
_lock = Lock()


def latest(place: Place, contract: Contract, reference: Reference, end: datetime) -> Reference | None:
    """As many of the latest blocks as the reference has, its own among them while there are too few others.

    What is younger than seven days waits, and so does everything since a slow drift began that is told of now; while
    the reference does not span the season nobody can tell such a drift from a season, and nothing waits for it.

    Args:
        place: Where the batches were accepted.
        contract: Whose.
        reference: The approved one.
        end: The end of the window of the batch that is held against them.

    Returns:
        None where no other block than the reference's own was accepted yet.
    """
    with place.ledger.read() as connection:
        found = runs.accepted(
            connection,
            contract.name,
            reference.layout.sha256,
            until=(end - YOUNG).timestamp(),
            before=_drifting_since(connection, contract, reference),
            limit=len(reference.blocks),
        )
        own = {block.batch for block in reference.blocks}
        newer = [_block(connection, run, batch, ended) for run, batch, ended in found if batch not in own]
    if not newer:
        return None
    together = [*reference.blocks, *reversed(newer)]
    return replace(reference, blocks=tuple(together[-len(reference.blocks) :]))


def _drifting_since(connection: Connection, contract: Contract, reference: Reference) -> float | None:
    """When the earliest slow drift began that is told of now, seconds; None where there is none."""
    if not reference.season_covered(contract):
        return None
    stream, _ = streams.load(connection, contract.name, reference.sha256)
    batches = {item.since for item in slow_drifts(stream, watch_of(reference, contract)) if item.since}
    ends = [runs.ended(connection, contract.name, batch) for batch in batches]
    return min((end for end in ends if end is not None), default=None)


def _block(connection: Connection, run: str, batch: str, ended: float) -> Block:
    """One accepted batch as a block; made once a process, since runs never change."""
    with _lock:
        known = _blocks.get(run)
        if known is not None:
            _blocks.move_to_end(run)
            return known
    profile = Profile.from_dict(json.loads(runs.get(connection, run).profile))
    moment = datetime.fromtimestamp(ended, UTC)
    block = Block(batch, Window(moment, moment), profile)
    with _lock:
        _blocks[run] = block
        while len(_blocks) > _KEPT:
            _blocks.popitem(last=False)
    return block
