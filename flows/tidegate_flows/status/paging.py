"""A page of a long table: what comes before a place in the ledger."""

from __future__ import annotations

from starlette.requests import Request

from tidegate_flows.status.refusal import UnknownError

_LARGEST = 1 << 62


def before(request: Request) -> int | None:
    """The place that ``?before=`` names; None without one.

    Raises:
        UnknownError: It is no whole number.
    """
    text = request.query_params.get("before")
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and int(text) <= _LARGEST):
        raise UnknownError("No part of a table begins there.")
    return int(text)
