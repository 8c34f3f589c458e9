"""A breaker as whoever reads the ledger has to be told of it, also where no batch has come to say so."""

from __future__ import annotations

from datetime import datetime

from tidegate_monitors.breaker import Breaker


def breaker_now(kept: Breaker, clock: datetime) -> Breaker:
    """What the ledger keeps, with a probe whose time is over as failed: open since the end of that time.

    Args:
        kept: As the ledger keeps it.
        clock: The time, by the store's clock.
    """
    return kept.lost(clock, kept.probe_until or clock)
