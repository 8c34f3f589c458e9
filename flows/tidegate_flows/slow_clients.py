"""HTTP for clients that are slow on purpose: each has a time to say what it wants, and to take what it gets."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

_ASKING = (h11.IDLE, h11.SEND_BODY)


class PatientProtocol(H11Protocol):
    """uvicorn's protocol with two limits that it lacks; what it does while a request is answered takes what it takes.

    A connection is cut if a request is not complete in time, from the connection's or the request's beginning on, and
    if for a time the client takes nothing of an answer.

    Attributes:
        request_seconds: How long a request may take to come.
        sending_seconds: How long a client may take nothing.
    """

    request_seconds: ClassVar[float] = 10.0
    sending_seconds: ClassVar[float] = 20.0
    _asked: asyncio.TimerHandle | None = None
    _taken: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._asked = self.loop.call_later(self.request_seconds, transport.abort)

    def data_received(self, data: bytes) -> None:
        """Wait no longer once a request is complete."""
        if self._asked is None:
            self._asked = self.loop.call_later(self.request_seconds, self.transport.abort)
        super().data_received(data)
        if self.conn.their_state not in _ASKING:
            self._asked.cancel()
            self._asked = None

    def pause_writing(self) -> None:
        """Begin to wait for the client to take something."""
        super().pause_writing()
        self._taken = self.loop.call_later(self.sending_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """It took something."""
        super().resume_writing()
        if self._taken is not None:
            self._taken.cancel()

    def timeout_keep_alive_handler(self) -> None:
        """Cut a client that has not even taken its last answer; close the others."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        for timer in (self._asked, self._taken):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)
