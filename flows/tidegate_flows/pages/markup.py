"""HTML written by hand: every text from outside is escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import floor, log10

from tidegate_flows.plain import plain

TEXT_MAXIMUM = 600
NAME_MAXIMUM = 60
_DECIMALS_MAXIMUM = 8
_DASH = "–"


def said(text: object, limit: int = TEXT_MAXIMUM) -> str:
    """A text from anywhere, safe within HTML, at most so many characters."""
    return escape(short(plain(text), limit), quote=True).replace(" %", "&nbsp;%")


def short(text: str, limit: int) -> str:
    """A text that is cut where it is too long."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


@dataclass(frozen=True, slots=True)
class Figures:
    """How numbers in the label's unit are written.

    Attributes:
        decimals: After the point, 0 or more.
    """

    decimals: int

    @classmethod
    def within(cls, tolerance: float) -> Figures:
        """So fine that a tenth of the tolerance is seen."""
        return cls(min(_DECIMALS_MAXIMUM, max(0, 1 - floor(log10(tolerance)))))

    def bias(self, value: float) -> str:
        """With its sign."""
        return f"{value:+,.{self.decimals}f}".replace("-", "−")

    def mean(self, value: float) -> str:
        """Without a plus."""
        return f"{value:,.{self.decimals}f}".replace("-", "−")

    def span(self, low: float | None, high: float | None) -> str:
        """An interval."""
        return _DASH if low is None or high is None else f"{self.bias(low)} to {self.bias(high)}"


def number(value: float | None, digits: int = 3) -> str:
    """A number in few digits; a dash for None."""
    if value is None:
        return _DASH
    return f"{value:,}" if isinstance(value, int) else f"{value:.{digits}g}".replace("-", "−")


def exact(value: float | None, shown: str) -> str:
    """A number as it is shown, with the number as it is beside it for whoever copies the page."""
    return f'<data value="{value!r}">{shown}</data>' if value is not None else _DASH


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]], *, kind: str = "") -> str:
    """A table; the caption and the cells are HTML already. The first cell of each row is its head."""
    top = "".join(f'<th scope="col">{head}</th>' for head in heads)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>' for first, *rest in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{said(_words(caption))}">'
        f'<table class="{kind}"><caption>{caption}</caption><thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def figure(drawing: str, caption: str) -> str:
    """A drawing with what it says."""
    return f"<figure>{drawing}<figcaption>{caption}</figcaption></figure>"


def _words(markup: str) -> str:
    return markup.split("<")[0].strip()
