"""The runbook, where alerts lead to: it needs no ledger, so that it can be read while that is down."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from tidegate_flows.status.site import Site

_HEADING = re.compile(r"<h2>(\w+)</h2>")


def runbook(site: Site, request: Request) -> Response:
    """The page; each alert's section has its name in lower case as its anchor."""
    return site.respond(request, "runbook.html", sections=_sections())


@lru_cache(maxsize=1)
def _sections() -> Markup:
    from markdown_it import MarkdownIt

    text = (files("tidegate_flows.alert_rules") / "runbook.md").read_text(encoding="utf-8")
    made = MarkdownIt("commonmark", {"html": False}).render(text)
    return Markup(_HEADING.sub(lambda found: f'<h2 id="{found[1].lower()}">{found[1]}</h2>', made))  # noqa: S704 - our own file
