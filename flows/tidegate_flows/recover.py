"""Carry out what was decided, and finish what a crash left: one worker at a time, as often as one likes."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from uuid import uuid4

from tidegate_flows.ledger import runs
from tidegate_flows.ledger.runs import Move
from tidegate_flows.place import Place
from tidegate_flows.publish import carry_out
from tidegate_flows.stores.bucket import Bucket
from tidegate_flows.stores.local import sha256_of

_SWEEP_LEASES = 10


def recover(place: Place, dataset: str | None = None) -> int:
    """Carry out every committed decision whose files are not in place; gives their number.

    A worker that has just committed calls it too, so that there is one way in which files are moved.

    Raises:
        StoreError: A file is gone, or is not the one that was checked.
    """
    if not _unmoved(place, dataset):  # whoever is moving files now marks them last
        return 0
    with place.store.lock(), place.ledger.alone_with_files():
        left = _unmoved(place, dataset)
        for run, _, moves in left:
            carry_out(moves, place.store)
            if place.bucket is not None:
                _put(moves, place, place.bucket)
            with place.ledger.begin() as connection:
                runs.mark_moved(connection, run)
    return len(left)


def _put(moves: Sequence[Move], place: Place, bucket: Bucket) -> None:
    """Take what is replaced out of the bucket, then put what was published into it; may be repeated."""
    for move in moves:
        if _is_published(move.source):
            bucket.remove(move.source)
    for move in moves:
        if _is_published(move.target):
            path = place.store.root / move.target
            bucket.put(path, move.target, move.sha256 or sha256_of(path))


def _is_published(path: str) -> bool:
    return PurePosixPath(path).parent.name == "published"


def sweep(place: Place) -> int:
    """Remove workspaces that a crash left before its commit; gives their number.

    Only those that no decision needs, and that are older than ten leases.
    """
    # as a writer: nobody may stand between a decision and its commit, whose folder looks old to a clock set forward
    with place.store.lock(), place.ledger.alone_with_files(), place.ledger.begin() as connection:
        lease = place.lease_for(connection, None)
        needed = {move.source.split("/")[1] for _, _, moves in runs.unmoved(connection) for move in moves}
        oldest = place.seconds - _SWEEP_LEASES * lease
        stale = [
            folder
            for folder in place.store.staging.iterdir()
            if folder.name not in needed and _changed(folder) < oldest
        ]
        gone = []
        for folder in stale:
            with suppress(FileNotFoundError):  # its worker was done just now
                gone.append(folder.rename(folder.with_name(f"swept-{uuid4().hex}")))
    for folder in gone:  # it may take long, and nobody need wait for it
        shutil.rmtree(folder, ignore_errors=True)
    return len(gone)


def _changed(folder: Path) -> float:
    """When a folder last changed, seconds since 1970; never, if a gate that is done has just removed it."""
    try:
        return folder.stat().st_mtime
    except FileNotFoundError:
        return math.inf


def _unmoved(place: Place, dataset: str | None = None) -> list[tuple[str, str, list[Move]]]:
    with place.ledger.read() as connection:
        return runs.unmoved(connection, dataset)
