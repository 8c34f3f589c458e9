"""The addresses of the status page."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from tidegate_contracts.errors import UsageError
from tidegate_flows.settings import Settings
from tidegate_flows.status.acting import acting, login, signing_in, signing_out
from tidegate_flows.status.aside import aside
from tidegate_flows.status.batch import batch
from tidegate_flows.status.chain import chain
from tidegate_flows.status.dataset import dataset
from tidegate_flows.status.overview import overview
from tidegate_flows.status.refusal import View, guarded, unknown
from tidegate_flows.status.runbook import runbook
from tidegate_flows.status.sessions import Sessions
from tidegate_flows.status.site import Site
from tidegate_flows.status.static_file import static_file
from tidegate_flows.status.versions import versions
from tidegate_flows.status.written_page import written_page

TOKEN_MINIMUM = 16
"""Characters."""
_PAGES: dict[str, View] = {
    "/": overview,
    "/datasets/{dataset}": dataset,
    "/datasets/{dataset}/batches/{batch}": batch,
    "/datasets/{dataset}/quarantine": aside,
    "/datasets/{dataset}/audit": chain,
    "/datasets/{dataset}/references": versions,
    "/datasets/{dataset}/labels": written_page,
}
_PLAIN: dict[str, View] = {"/static/{file}": static_file, "/login": login, "/runbook": runbook}
"""What needs no ledger."""


def routes(settings: Settings, *, token: str | None, tls: bool = False) -> list[BaseRoute]:
    """All of them, to be mounted after everything else: the last is the page of whatever is not found.

    Args:
        settings: Where the store and the ledger are.
        token: What whoever wants to act must show; None for pages that only read.
        tls: Whether browsers reach it by HTTPS, through a proxy.
    """
    if token is not None and len(token) < TOKEN_MINIMUM:
        raise UsageError("the token is too short", found=f"{len(token)} characters", allowed=f"{TOKEN_MINIMUM} or more")
    return routes_of(Site(settings, Sessions(token) if token is not None else None, tls=tls))


def routes_of(site: Site) -> list[BaseRoute]:
    """The routes of one site."""
    found: list[BaseRoute] = [Route(path, guarded(site, view), methods=["GET"]) for path, view in _PAGES.items()]
    found += [Route(path, guarded(site, view, reads=False), methods=["GET"]) for path, view in _PLAIN.items()]
    found += [
        Route("/login", signing_in(site), methods=["POST"]),
        Route("/logout", signing_out(site), methods=["POST"]),
        Route("/datasets/{dataset}/breaker", acting(site, kept=False), methods=["POST"]),
        Route("/datasets/{dataset}/quarantine/{batch}", acting(site, kept=True), methods=["POST"]),
        Route("/{rest:path}", guarded(site, unknown, reads=False), methods=["GET"]),
    ]
    return found
