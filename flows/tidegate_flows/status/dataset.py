"""One dataset: its breaker, its batches, how far they were from the reference, and what labels say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from tidegate_flows.ledger import contracts, label_reports, references
from tidegate_flows.place import Place
from tidegate_flows.status.act import forms
from tidegate_flows.status.glance import Glance, glance, names_of, since
from tidegate_flows.status.heat_map import Heat, heat, heat_map
from tidegate_flows.status.label_part import label_part
from tidegate_flows.status.paging import before
from tidegate_flows.status.record import Record, documents, in_time, recent
from tidegate_flows.status.refusal import UnknownError
from tidegate_flows.status.site import Site
from tidegate_flows.status.timeline import CHANGES_MAXIMUM, Change, changes, spans, timeline
from tidegate_flows.status.volume_plot import volume_plot

_PAGE = 50
_PLOTTED = 120


def dataset(site: Site, request: Request) -> Response:
    """The page; further parts of the table of runs have no plots."""
    name, start = request.path_params["dataset"], before(request)
    with site.to_read() as place, place.ledger.read() as connection:
        found = known(connection, name, place.clock())
        table = recent(connection, name, _PAGE + 1, before=start)
        facts: dict[str, Any] = {"runs": documents(connection, table[:_PAGE])}
        if start is None:
            facts |= _plots(connection, place, found, recent(connection, name, _PLOTTED))
    return site.respond(
        request,
        "dataset.html",
        item=found,
        now=found.now,
        since=since,
        records=table[:_PAGE],
        more=table[_PAGE - 1].seq if len(table) > _PAGE else None,
        first=start is None,
        forms=forms(found),
        **facts,
    )


def known(connection: Connection, name: str, now: datetime) -> Glance:
    """A dataset that the ledger knows.

    Raises:
        UnknownError: It does not.
    """
    names = names_of(connection)
    if name not in names:
        shown = ", ".join(names[:20]) or "none"
        raise UnknownError(f"The ledger knows no dataset {name!r}. It knows: {shown}.")
    return glance(connection, name, contracts.load(connection).get(name, {}), now)


def _plots(connection: Connection, place: Place, found: Glance, records: Sequence[Record]) -> dict[str, Any]:
    """What is drawn, and what stands beside it."""
    told, timed = changes(connection, found.name), in_time(records)
    warm, judged = heat(connection, timed), label_reports.load(connection, found.name)
    listed = references.listed(connection, found.name)
    return {
        "changes": told[:20],
        "timeline": timeline_of(told, records, found.now),
        "volume": volume_plot("volume", timed) if timed else None,
        "shown": len(timed),
        "heat": warm,
        "heat_map": heat_map("heat", warm) if isinstance(warm, Heat) else None,
        "labels": label_part(place, found.name, judged) if judged is not None else None,
        "reference": next((item for item in listed if item["in_force"]), None),
    }


def timeline_of(told: Sequence[Change], records: Sequence[Record], now: datetime) -> str | None:
    """From the first batch or change that is shown to now; if nothing came for long, to the last that did.

    Where there may have been more changes than were read, from the first of these on: what was before is not known.
    """
    known = None
    if len(told) >= CHANGES_MAXIMUM:
        known = min((change.at for change in told if change.state), default=None)
        if known is None:
            return None
    moments = [*(change.at for change in told), *(record.at for record in records)]
    if not moments:
        return None
    first, last = known or min(moments), max(moments)
    end = now if now - last < (last - first) / 2 else last
    found = spans(told, first, end)
    return timeline("breaker", found) if found else None
