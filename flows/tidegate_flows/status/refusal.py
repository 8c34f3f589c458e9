"""Pages that say why there is no other page."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from tidegate_contracts.errors import StoreError, TidegateError, UsageError
from tidegate_flows.status.room import FullError
from tidegate_flows.status.site import Site

logger = logging.getLogger("tidegate.status")
_FRAMES = 4
View = Callable[[Site, Request], Response]
Endpoint = Callable[[Request], Awaitable[Response]]


class UnknownError(Exception):
    """There is no such page.

    Args:
        what: What is not there.
    """

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


def guarded(site: Site, view: View, *, reads: bool = True) -> Endpoint:
    """A view whose errors are pages too.

    Args:
        site: The status page.
        view: What makes the page.
        reads: Whether it looks at the ledger, and so may take a while.
    """

    async def endpoint(request: Request) -> Response:
        try:
            return await site.reading.do(partial(view, site, request)) if reads else view(site, request)
        except Exception as error:  # noqa: BLE001 - whatever happens, the reader gets a page and the log the reason
            return refused(site, request, error)

    return endpoint


def refused(site: Site, request: Request, error: Exception) -> Response:
    """The page of an error."""
    if isinstance(error, UnknownError):
        return _told(site, request, 404, "There is no such page", error.what)
    if isinstance(error, FullError):
        return _told(site, request, 503, "Too many pages are asked for at once", "Load this page again in a while.")
    if isinstance(error, (StoreError, UsageError)):
        if request.method == "POST":
            logger.warning("what was sent to the status page failed: %s", error)
            return _told(site, request, 503, "It failed", error)
        logger.warning("the status page cannot be shown: %s", error)
        return _told(site, request, 503, "The ledger cannot be read", error)
    logger.error("the status page failed: %s at %s", type(error).__name__, _where(error))  # its words may hold values
    acted = "Whether it was done stands in the audit." if request.method == "POST" else "Other pages may work."
    return _told(site, request, 500, "This page failed", f"The log of tidegate serve says why. {acted}")


def unknown(_site: Site, request: Request) -> Response:
    """The page of an address that is none."""
    raise UnknownError(f"Nothing is at {request.url.path}.")


def told(site: Site, request: Request, status: int, title: str, why: str) -> Response:
    """The page of a refusal in words of its own."""
    return _told(site, request, status, title, why)


def _told(site: Site, request: Request, status: int, title: str, why: str | TidegateError) -> Response:
    facts: dict[str, object] = {"what": why, "found": None, "allowed": None}
    if isinstance(why, TidegateError):
        facts = {"what": why.what, "found": why.found, "allowed": why.allowed}  # hints are for a command line
    return site.respond(request, "refusal.html", status=status, title=title, code=status, **facts)


def _where(error: BaseException) -> str:
    """The lines that raised, the innermost last."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return ", ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames)
