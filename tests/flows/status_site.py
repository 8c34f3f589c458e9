"""A status page without a server, and stores for it."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette

from tidegate_flows.settings import resolve
from tidegate_flows.status.routing import routes_of
from tidegate_flows.status.sessions import Sessions
from tidegate_flows.status.site import Site

TOKEN = "a-token-of-enough-characters"  # noqa: S105 - of the tests


@dataclass
class Browser:
    """Asks a status page, and keeps its cookies; it follows no redirect by itself."""

    app: Starlette
    cookies: httpx.Cookies = field(default_factory=httpx.Cookies)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.ask("GET", path, headers=headers)

    def post(self, path: str, sent: Mapping[str, str], **headers: str) -> httpx.Response:
        return self.ask("POST", path, data=dict(sent), headers=headers)

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=True)
            async with httpx.AsyncClient(transport=transport, base_url="http://tide", cookies=self.cookies) as client:
                response = await client.request(method, path, **more)
                self.cookies = client.cookies
                return response

        return asyncio.run(asked())

    def csrf(self, path: str) -> str:
        """What the forms of a page bring back."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.get(path).text)
        assert found is not None, path
        return found[1]

    def sign_in(self, token: str = TOKEN) -> httpx.Response:
        return self.post("/login", {"token": token})


def browser(
    store: Path | str,
    *,
    token: str | None = None,
    clock: Callable[[], datetime] | None = None,
    ledger: str | None = None,
) -> Browser:
    """One that looks at a store."""
    settings = resolve(store=store, ledger=ledger)
    return Browser(Starlette(routes=routes_of(Site(settings, Sessions(token) if token else None, clock))))


def words(response: httpx.Response) -> str:
    """What a page says, without markup."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", response.text)))
