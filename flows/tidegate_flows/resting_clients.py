"""HTTP for clients that stay connected: one that asks for nothing gives way to one that may."""

from __future__ import annotations

from typing import Any, ClassVar

import h11

from tidegate_flows.slow_clients import PatientProtocol

CONNECTIONS_MAXIMUM = 512
"""How many are served at once; whoever comes then is refused."""


class YieldingProtocol(PatientProtocol):
    """Closes the connection that has asked for nothing for longest, where there is little room left for a new one.

    Attributes:
        crowded: From so many connections on; less than the most by what one moment may bring.
    """

    crowded: ClassVar[int] = CONNECTIONS_MAXIMUM - 64
    rests_since: float = 0.0

    @property
    def rests(self) -> bool:
        """Whether nothing was asked that is not answered; a request that is not complete does not count."""
        return self.conn.our_state is h11.IDLE and not self.transport.is_closing()

    def connection_made(self, transport: Any) -> None:
        """Make room for it, at the cost of another one."""
        super().connection_made(transport)
        self.rests_since = self.loop.time()
        if len(self.connections) > self.crowded:
            others = [one for one in self.connections if isinstance(one, YieldingProtocol) and one is not self]
            resting = [one for one in others if one.rests]
            if resting:
                min(resting, key=lambda one: one.rests_since).timeout_keep_alive_handler()

    def on_response_complete(self) -> None:
        """Rest from now on."""
        self.rests_since = self.loop.time()
        super().on_response_complete()
