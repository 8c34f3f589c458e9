"""The one thread that tells an OpenLineage receiver; what it cannot tell in time is lost, and nobody waits for it."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Callable
from functools import cache
from queue import Full, Queue
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tidegate_flows.lineage_moment import Moment

logger = logging.getLogger("tidegate.lineage")

SECONDS = 3.0
"""How long the end of the process waits for events that were not told yet."""
_MOST = 1000
_NAME = "tidegate-lineage"
_LOOK = 0.02  # seconds between two looks at whether all is told


class Sender:
    """Tells events in their order, in a thread of its own.

    Args:
        tell: How one is told; made in the thread, so that nobody waits for an import.
    """

    def __init__(self, tell: Callable[[], Callable[[Moment], Any]]) -> None:
        self._make, self._queue = tell, Queue[Any](_MOST)
        self._warned = threading.Event()
        self._left = 0
        self._lock = threading.Lock()
        threading.Thread(target=self._work, name=_NAME, daemon=True).start()

    def put(self, moment: Moment) -> None:
        """Tell it when its turn has come."""
        try:
            with self._lock:
                self._queue.put_nowait(moment)
                self._left += 1
        except Full:
            self._warn("the receiver is too slow")

    def close(self, seconds: float = SECONDS) -> None:
        """Wait until all is told, for so many seconds at most."""
        end, wait = monotonic() + seconds, threading.Event()
        while self._left and monotonic() < end:
            wait.wait(_LOOK)
        if self._left:
            self._warn(f"{self._left} events were not taken within {seconds:g} s")

    def _work(self) -> None:
        tell: Callable[[Moment], Any] | None = None
        while True:
            moment = self._queue.get()
            try:
                tell = tell or self._make()
                tell(moment)
            except ImportError:
                self._warn("pip install 'tidegate[lineage]'")
            except Exception as error:  # noqa: BLE001 - each way of telling has its own; their words may hold a key
                self._warn(type(error).__name__)
            finally:
                with self._lock:
                    self._left -= 1

    def _warn(self, why: str) -> None:
        """Once, however often it happens."""
        if not self._warned.is_set():
            self._warned.set()
            logger.warning("lineage is not told: %s", why)


def send(moment: Moment) -> None:
    """Tell an event by whatever way OpenLineage's own settings name."""
    _sender(os.getpid()).put(moment)


@cache
def _sender(_process: int) -> Sender:
    """That of this process: threads do not survive a fork."""
    sender = Sender(_teller)
    atexit.register(sender.close)
    return sender


def _teller() -> Callable[[Moment], Any]:
    from openlineage.client import OpenLineageClient

    from tidegate_flows.lineage_event import event

    # each try anew is told there, with the address
    logging.getLogger("urllib3.connectionpool").addFilter(lambda record: record.threadName != _NAME)
    client = OpenLineageClient()
    return lambda moment: client.emit(event(moment))
