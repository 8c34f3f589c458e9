"""Drawings at their own size: a unit is a pixel, whatever the page has room for; and the names below an axis."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate_flows.pages.drawing import line, words
from tidegate_flows.pages.markup import short

_LETTER, _GAP = 7.0, 10.0
"""Pixels: a letter of a tick's name, at most on average; between two names."""


def sized(drawn: str, width: int) -> str:
    """A drawing with its width as a size: the style's ``auto`` then scales it up beyond no page's letters."""
    return drawn.replace("<svg ", f'<svg width="{width}" ', 1)


def names_below(names: Sequence[str], places: Sequence[float], y: float, width: float, letters: int = 16) -> list[str]:
    """As many names below an axis as stand there without overlapping, the first of all first.

    Args:
        names: In the order of their places.
        places: Where the middle of each is.
        y: Where the axis is.
        width: Of the drawing; a name near its ends is pushed in.
        letters: How many of each: of its start, or where names start alike of its end.
    """
    found, free = [], 0.0
    heads = [short(name, letters) for name in names]
    told = heads if len({*heads}) == len({*names}) else [_end(name, letters) for name in names]
    for text, place in zip(told, places, strict=True):
        half = len(text) * _LETTER / 2
        middle = max(min(place, width - half), half)
        if middle - half >= free:
            found += [line(place, y, place, y + 5, "zero"), words(middle, y + 19, text, "tick")]
            free = middle + half + _GAP
    return found


def _end(name: str, letters: int) -> str:
    return name if len(name) <= letters else f"…{name[1 - letters :]}"
