"""Finish what a crash left: decisions that were committed but not yet carried out on disk."""

from __future__ import annotations

from tidegate_flows.ledger import runs
from tidegate_flows.place import Place
from tidegate_flows.publish import carry_out


def recover(place: Place, dataset: str | None = None) -> int:
    """Carry out every committed decision whose files are not in place; gives their number.

    Raises:
        StoreError: A file is gone, or is not the one that was checked.
    """
    with place.ledger.begin() as connection:
        left = runs.unmoved(connection, dataset)
    for run, _, moves in left:
        carry_out(moves, place.store)
        with place.ledger.begin() as connection:
            runs.mark_moved(connection, run)
    return len(left)
