"""The references of a dataset: which is in force, and who said so."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tidegate_flows.ledger import references
from tidegate_flows.status.dataset import known
from tidegate_flows.status.site import Site

_SHOWN = 200


def versions(site: Site, request: Request) -> Response:
    """The page; the newest first."""
    dataset = request.path_params["dataset"]
    with site.to_read() as place, place.ledger.read() as connection:
        item = known(connection, dataset, place.clock())
        found = references.listed(connection, dataset)[::-1]
    return site.respond(
        request,
        "references.html",
        item=item,
        now=item.now,
        found=found[:_SHOWN],
        many=len(found),
        in_force=next((one for one in found if one["in_force"]), None),
    )
