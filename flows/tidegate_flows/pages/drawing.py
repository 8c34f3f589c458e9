"""A drawing: SVG elements with rounded places, under a title and a description for those who cannot see it."""

from __future__ import annotations

from tidegate_flows.pages.markup import said


def drawing(name: str, width: int, height: int, title: str, description: str, body: list[str]) -> str:
    """The whole of it.

    Args:
        name: Of the drawing, unique on its page.
        width: In units of its own; it shrinks with the page.
        height: Likewise.
        title: What it is, in a few words.
        description: What it shows, in a sentence.
        body: Its elements.
    """
    return (
        f'<svg role="img" viewBox="0 0 {width} {height}" aria-labelledby="{name}-t {name}-d">'
        f'<title id="{name}-t">{said(title)}</title><desc id="{name}-d">{said(description)}</desc>{"".join(body)}</svg>'
    )


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """A straight line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def box(x: float, y: float, width: float, height: float, kind: str) -> str:
    """A rectangle."""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" class="{kind}"/>'


def dot(x: float, y: float, kind: str) -> str:
    """A small disc."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.6" class="{kind}"/>'


def words(x: float, y: float, text: str, kind: str = "") -> str:
    """A text, escaped."""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{said(text)}</text>'


def group(told: str, body: list[str], kind: str = "") -> str:
    """Elements that say the same when pointed at."""
    return f'<g class="{kind}"><title>{said(told)}</title>{"".join(body)}</g>'
