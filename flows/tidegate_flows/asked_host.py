"""The name under which a server is asked, so that no page of another site can ask one that is for this machine only.

A browser lets a page read what its own name answers, and whoever owns a name may point it at 127.0.0.1: then only the
``Host`` header tells that nobody meant this server (DNS rebinding).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def hosts_of(address: str, host: str, more: Iterable[str] = ()) -> frozenset[str] | None:
    """The names under which a server answers; None for any.

    Args:
        address: That it listens on.
        host: What whoever started it calls that.
        more: Names that it is to answer under as well.
    """
    named = {_name(name) for name in more}
    return frozenset({*LOOPBACK, _name(host), *named}) if named or is_loopback(address) else None


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach an address."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class AskedHost:
    """Refuses whoever asks under another name; a client so old that it names none is no browser.

    Attributes:
        app: What answers.
        hosts: Under which names.
    """

    app: ASGIApp
    hosts: Collection[str]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        asked = Headers(scope=scope).get("host") if scope["type"] == "http" else None
        if asked and _name(asked) not in self.hosts:
            answer = PlainTextResponse("no name of this server: tidegate serve --allow-host NAME\n", status_code=421)
            await answer(scope, receive, send)
            return
        await self.app(scope, receive, send)


def _name(host: str) -> str:
    """A host without its port and brackets, in lower case."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0] if host.count(":") == 1 else host
