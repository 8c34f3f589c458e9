"""The page of labels as it was written in the store."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from html import escape

from starlette.requests import Request
from starlette.responses import Response

from tidegate_flows.answer_headers import HEADERS
from tidegate_flows.status.dataset import known
from tidegate_flows.status.label_part import label_file
from tidegate_flows.status.refusal import UnknownError
from tidegate_flows.status.site import Site, link

_MAIN = re.compile(rb"<main[^>]*>")
_STYLE = re.compile(rb"<style>(.*?)</style>", re.DOTALL)


def written_page(site: Site, request: Request) -> Response:
    """The file, with a way back; of styles in it only the one at its head is let in, by its hash, and no script."""
    dataset = request.path_params["dataset"]
    with site.to_read() as place:
        with place.ledger.read() as connection:
            known(connection, dataset, place.clock())
        path = label_file(place, dataset)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise UnknownError(f"No page of labels of {dataset} was written: tidegate labels --page does.") from None
    back = f'<p><a href="{escape(link(request, "datasets", dataset))}#h-labels">{escape(dataset)}</a></p>'
    content = _MAIN.sub(lambda found: found[0] + back.encode(), content, count=1)
    style = _STYLE.search(content)
    allowed = f"'sha256-{b64encode(hashlib.sha256(style[1]).digest()).decode()}'" if style else "'none'"
    policy = (
        f"default-src 'none'; style-src {allowed}; img-src data:; frame-ancestors 'none'; base-uri 'none'; "
        "form-action 'none'"
    )
    return Response(content, 200, HEADERS | {"Content-Security-Policy": policy}, "text/html")
