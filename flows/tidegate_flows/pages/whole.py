"""A page in one piece: no script, one style, and nothing that is fetched from anywhere."""

from __future__ import annotations

from collections.abc import Iterable

from tidegate_flows.pages.markup import said

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def whole(title: str, body: str, style: str) -> str:
    """The page.

    Args:
        title: What it is called, as plain text.
        body: What stands on it, as HTML.
        style: How it looks.
    """
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">'
        f'<link rel="icon" href="data:,"><title>{said(title)}</title><style>{style}</style></head>'
        f"<body><main>{body}</main></body></html>\n"
    )


def fitting(items: Iterable[str], most: int, room: int) -> list[str]:
    """The first of some texts: at most so many, and together no more bytes of UTF-8 than there is room for.

    >>> fitting(["ab", "cd", "ef"], 9, 5)
    ['ab', 'cd']
    """
    found: list[str] = []
    for item in items:
        room -= len(item.encode("utf-8", "replace"))
        if room < 0 or len(found) == most:
            break
        found.append(item)
    return found
