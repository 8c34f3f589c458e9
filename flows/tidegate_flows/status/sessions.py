"""Who has shown the token: sessions in memory, over when the server ends."""

from __future__ import annotations

import secrets
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic

LENGTH = 8 * 3600
"""Seconds."""
_SESSIONS_MAXIMUM = 64
_NOTICES_MAXIMUM = 4
_TRIES = 10
_TRIES_WINDOW = 60.0


@dataclass(slots=True)
class Session:
    """One browser that has shown the token.

    Attributes:
        csrf: What its forms must bring back.
        until: When it ends, by the machine's steady clock.
        notices: What the next page tells, once: what became of an act in a word or two, and more of it.
    """

    csrf: str
    until: float
    notices: deque[tuple[str, str]] = field(default_factory=lambda: deque(maxlen=_NOTICES_MAXIMUM))


class Sessions:
    """The sessions of one server.

    Args:
        token: What must be shown.
        clock: Seconds that only grow.
    """

    def __init__(self, token: str, clock: Callable[[], float] = monotonic) -> None:
        self._token, self._clock, self._lock = token.encode(), clock, Lock()
        self._known: OrderedDict[str, Session] = OrderedDict()
        self._failed: deque[float] = deque(maxlen=_TRIES)

    def begin(self, token: str) -> str | None:
        """The name of a new session, if the token is right; None if it is not."""
        now = self._clock()
        with self._lock:
            if not secrets.compare_digest(token.encode("utf-8", "surrogatepass"), self._token):
                self._failed.append(now)
                return None
            name = secrets.token_urlsafe(32)
            self._known[name] = Session(secrets.token_urlsafe(32), now + LENGTH)
            while len(self._known) > _SESSIONS_MAXIMUM:
                self._known.popitem(last=False)
            return name

    @property
    def wearied(self) -> bool:
        """Whether so many tokens were wrong within a minute that nobody is heard for the rest of it."""
        with self._lock:
            return len(self._failed) == _TRIES and self._clock() - self._failed[0] < _TRIES_WINDOW

    def find(self, name: str | None) -> Session | None:
        """A session that has not ended."""
        with self._lock:
            session = self._known.get(name or "")
            if session is not None and self._clock() >= session.until:
                del self._known[name or ""]
                return None
            return session

    def end(self, name: str | None) -> None:
        """Forget a session."""
        with self._lock:
            self._known.pop(name or "", None)
