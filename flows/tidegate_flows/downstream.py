"""What stands at the head of a job that reads published data; it imports little, for it runs before every job."""

from __future__ import annotations

from pathlib import Path

from tidegate_contracts.errors import Halted, UsageError
from tidegate_flows.breaker_now import breaker_now
from tidegate_flows.ledger import breakers
from tidegate_flows.pasted import other_than_usual, way_out
from tidegate_flows.place import at
from tidegate_flows.settings import Settings


def require_closed(dataset: str, *, store: str | Path | Settings | None = None, ledger: str | None = None) -> None:
    """Stop a downstream job while its data cannot be trusted.

    Args:
        dataset: The contract's name.
        store: The folder that holds everything, settings already resolved, or None for the settings in force.
        ledger: The ledger's URL; None for the settings in force.

    Raises:
        Halted: The dataset's breaker is open, and nobody has overridden it for now.
        UsageError: The ledger knows no such dataset.
    """
    with at(store, ledger=ledger, read_only=True) as place, place.ledger.read() as connection:
        clock = place.clock()
        known = {name: breaker_now(kept, clock) for name, kept in breakers.all_of(connection).items()}
        why = breakers.why(connection, dataset, known[dataset]) if dataset in known else None
    if dataset not in known:  # a misspelt guard must not read as a pass
        raise UsageError("no such dataset", found=repr(dataset), allowed=", ".join(known) or "none was gated yet")
    breaker = known[dataset]
    if not breaker.lets_pass(clock):
        raise Halted(
            f"the breaker of {dataset!r} is {breaker.state.value}",
            found=f"since {breaker.changed_at:%Y-%m-%d %H:%M} UTC, because of {why}",
            hint=way_out(dataset, other_than_usual(store)),
        )
