"""Great Expectations' own page of a result, made to need no network."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tidegate_contracts.errors import StoreError
from tidegate_flows.sql.asking import quiet

_REMOTE = re.compile(
    r"<script\b[^>]*\bsrc\s*=\s*[\"']?(?:https?:)?//[^>]*>\s*</script>|<link\b[^>]*\bhref\s*=\s*[\"']?(?:https?:)?//[^>]*>"
    r"|<img\b[^>]*\bsrc\s*=\s*[\"']?(?:https?:)?//[^>]*>|@import[^;]*;",
    re.IGNORECASE,
)
_PICTURE = re.compile(r"url\(\s*[\"']?(?:https?:)?//[^)]*\)", re.IGNORECASE)
_POLICY = (
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
)
_STYLE = (
    "<style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem}"
    "table{border-collapse:collapse;width:100%}td,th{border:1px solid #ccc;padding:.3rem .6rem;text-align:left}"
    ".d-none,.modal,nav .btn{display:none}</style>"
)


def write(result: Any, folder: Path) -> Path:
    """Write the page of a result into a folder.

    What Great Expectations would load from elsewhere (styles, scripts, pictures) is taken out, and the page forbids
    itself to load anything.

    Raises:
        StoreError: It cannot be written.
    """
    with quiet():
        from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
        from great_expectations.render.view.view import DefaultJinjaPageView

        view: Any = DefaultJinjaPageView()  # untyped there
        page: str = view.render(ValidationResultsPageRenderer().render(result))
    page = _PICTURE.sub("none", _REMOTE.sub("", page)).replace("<head>", f"<head>{_POLICY}{_STYLE}", 1)
    path = folder / "index.html"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{path} cannot be written", found=error.strerror) from error
    return path
