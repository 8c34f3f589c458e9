"""The clock of a database, by which several hosts agree on when a lease ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import monotonic


class StoreClock:
    """What the database's clock said last, and how long ago that was by the machine's steady clock.

    Each transaction sets it anew. A machine whose own clock is wrong, or jumps, still knows the database's time.
    """

    def __init__(self) -> None:
        self._said = (0.0, 0.0)

    def set(self, seconds: float) -> None:
        """Take over what the database's clock says, seconds since 1970."""
        self._said = (seconds, monotonic())

    def __call__(self) -> datetime:
        """The time, in UTC."""
        seconds, then = self._said
        return datetime.fromtimestamp(seconds, UTC) + timedelta(seconds=monotonic() - then)
