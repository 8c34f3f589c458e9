"""Room for what the status page does: so much at once, and who finds none in time is told so."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, move_on_after
from anyio.to_thread import run_sync

T = TypeVar("T")


class FullError(Exception):
    """There was no room in time."""


class Room:
    """Threads of its own, so that whoever waits for a page keeps nobody else waiting.

    Args:
        threads: How much is done at once.
        seconds: How long room is waited for.
    """

    def __init__(self, threads: int, seconds: float) -> None:
        self._limiter, self._seconds = CapacityLimiter(threads), seconds

    async def do(self, work: Callable[[], T]) -> T:
        """Do something in a thread, and wait for it.

        Raises:
            FullError: There was no room in time.
        """
        mine = object()
        with move_on_after(self._seconds) as waiting:
            await self._limiter.acquire_on_behalf_of(mine)
        if waiting.cancelled_caught:
            raise FullError
        try:
            return await run_sync(work, limiter=CapacityLimiter(1))
        finally:
            self._limiter.release_on_behalf_of(mine)
