"""The audit of a dataset, and whether it holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, select
from starlette.requests import Request
from starlette.responses import Response

from tidegate_flows.ledger import audit
from tidegate_flows.ledger.schema import audit as entries_of
from tidegate_flows.status.dataset import known
from tidegate_flows.status.paging import before
from tidegate_flows.status.site import Site

_PAGE = 100
_VERIFIED_MAXIMUM = 20_000


def chain(site: Site, request: Request) -> Response:
    """The page; the chain is followed from its start each time that its end is looked at."""
    dataset, start = request.path_params["dataset"], before(request)
    with site.to_read() as place, place.ledger.read() as connection:
        item = known(connection, dataset, place.clock())
        entries = _entries(connection, dataset, start)
        many = connection.scalar(select(func.count()).where(entries_of.c.dataset == dataset)) or 0
        verified = start is None and many <= _VERIFIED_MAXIMUM
        found = audit.verify(connection, dataset) if verified else None
    return site.respond(
        request,
        "audit.html",
        item=item,
        now=item.now,
        entries=entries[:_PAGE],
        many=many,
        found=found,
        first=start is None,
        more=entries[_PAGE - 1]["seq"] if len(entries) > _PAGE else None,
    )


def _entries(connection: Connection, dataset: str, start: int | None) -> list[Mapping[str, Any]]:
    """Some entries, the newest first, and one more where there are more."""
    table = entries_of
    query = select(table).where(table.c.dataset == dataset).order_by(table.c.seq.desc()).limit(_PAGE + 1)
    if start is not None:
        query = query.where(table.c.seq < start)
    return [dict(row) for row in connection.execute(query).mappings()]
