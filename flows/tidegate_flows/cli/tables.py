"""Tables for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tidegate_flows.plain import plain

_STYLES = {
    "publish": "green",
    "quarantine": "red",
    "hold": "yellow",
    "closed": "green",
    "open": "red",
    "half_open": "yellow",
    "critical": "red",
    "warning": "yellow",
    "info": "dim",
    "ok": "green",
    "no": "red",
    "absent": "yellow",
}


def console(*, stderr: bool = False) -> Any:
    """A console that is plain when piped, and then wide enough not to wrap tables."""
    from rich.console import Console

    found = Console(stderr=stderr, highlight=False)
    return found if found.is_terminal else Console(stderr=stderr, highlight=False, width=160)


def show(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None) -> None:
    """Print a table; words that mean something have their colour, and no cell is read as markup."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in columns:
        numeric = name in ("rows", "blocks", "bytes", "bias", "published", "quarantined", "held")
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(plain(cell), style=_STYLES.get(str(cell), "")) for cell in row))
    console().print(table)


def line(text: object) -> None:
    """Print one line of a result; a name or value from outside cannot make another one, or move the cursor."""
    import typer

    typer.echo(plain(text))


def number(value: float | None, digits: int = 3) -> str:
    """A number in few digits; a dash for None."""
    return "–" if value is None else f"{value:.{digits}g}"
