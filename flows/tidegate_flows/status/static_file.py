"""The style and the script."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tidegate_flows.answer_headers import HEADERS
from tidegate_flows.status.refusal import UnknownError
from tidegate_flows.status.site import Site, statics


def static_file(_site: Site, request: Request) -> Response:
    """One of the files that there are."""
    found = statics().get(request.path_params["file"])
    if found is None:
        raise UnknownError("There is no such file.")
    kept = request.query_params.get("v") == found.tag
    caching = {"Cache-Control": "public, max-age=31536000, immutable" if kept else "no-cache"}
    return Response(found.content, 200, HEADERS | caching, found.kind)
