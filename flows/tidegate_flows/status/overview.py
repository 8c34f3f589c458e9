"""All datasets at a glance."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tidegate_flows.status.glance import STRIP, glances, since, summary
from tidegate_flows.status.site import Site
from tidegate_flows.status.strip_plot import strip_plot


def overview(site: Site, request: Request) -> Response:
    """The page."""
    with site.to_read() as place, place.ledger.read() as connection:
        now = place.clock()
        found = glances(connection, now)
    strips = [strip_plot(f"strip{index}", item.records, STRIP) for index, item in enumerate(found)]
    return site.respond(
        request, "overview.html", found=found, strips=strips, summary=summary(found), now=now, since=since
    )
