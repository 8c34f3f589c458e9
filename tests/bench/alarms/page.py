"""The page of the tables: what stands between a part's markers is written anew."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def renewed(text: str, parts: Mapping[str, str]) -> str:
    """The page with each part's table between its markers.

    Raises:
        ValueError: A part has no markers.
    """
    for name, table in parts.items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        if begin not in text or end not in text:
            raise ValueError(f"no markers for {name}: {begin} … {end}")
        before, rest = text.split(begin, 1)
        after = rest.split(end, 1)[1]
        text = f"{before}{begin}\n\n{table}\n\n{end}{after}"
    return text


def write(path: Path, parts: Mapping[str, str]) -> None:
    """Renew a page on disk."""
    path.write_text(renewed(path.read_text(encoding="utf-8"), parts), encoding="utf-8")
