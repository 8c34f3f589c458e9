"""Python source: values as literals, and calls and lists laid out as a formatter lays them out.

Names and values of data and documents reach a file only through :func:`literal`, :func:`part_of` and :func:`pattern`,
so none of them can become code, a comment or a line of its own.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias

WIDTH = 88
"""How long a line of a made file may be, in characters."""

INDENT = "    "
_ENDLESS = 10**9
_MODULES = {
    "pd": "import pandas as pd",
    "pa": "import pandera.pandas as pa",
    "pyarrow": "import pyarrow",
    "tg": "import tidegate as tg",
}
Part: TypeAlias = "str | Group | Named"
"""A piece of source: text that stays on its line, or what is laid out."""


@dataclass(frozen=True, slots=True)
class Group:
    """A bracketed list of parts that stands on one line if it fits, else one part a line.

    Attributes:
        opening: The bracket, and what stands right before it.
        parts: What stands in it.
        closing: The other bracket.
        comma: Whether a comma follows its last part even on one line.
        split: Whether each part has a line of its own even if one would do.
    """

    opening: str
    parts: tuple[Part, ...]
    closing: str
    comma: bool = False
    split: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """A part with what stands before it.

    Attributes:
        label: The name of an argument with ``=``, or a key with its colon.
        part: What is named.
    """

    label: str
    part: Part


def literal(value: Any) -> str:
    """A value as Python source on one line.

    >>> print(literal('say "no"'), literal(10000), literal(("a",)))
    'say "no"' 10_000 ("a",)
    """
    return laid_out(part_of(value), width=_ENDLESS)


def part_of(value: Any) -> Part:
    """A value as source that can be laid out: Python that makes it again."""
    if isinstance(value, list):
        return listed(map(part_of, value))
    if isinstance(value, tuple):
        return Group("(", tuple(map(part_of, value)), ")", comma=len(value) == 1)
    if isinstance(value, Mapping):
        return mapped((key, part_of(item)) for key, item in value.items())
    if isinstance(value, timedelta):
        return _timedelta(value)
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, date):
        return f"date({value.year}, {value.month}, {value.day})"
    if is_dataclass(value) and not isinstance(value, type):
        return _made(value)
    return _scalar(value)


def pattern(value: Any) -> Part:
    """A regular expression, as a raw string where that is easier to read."""
    if isinstance(value, str) and "\\" in value and not value.endswith("\\"):
        return f'r"{value}"' if value.isprintable() and '"' not in value else part_of(value)
    return part_of(value)


def keywords(arguments: Mapping[str, Any]) -> list[Part]:
    """Arguments by name."""
    return [Named(f"{name}=", part_of(value)) for name, value in arguments.items()]


def call(function: str, parts: Iterable[Part], *, split: bool = False) -> Group:
    """A call of a function of ours or pandera's."""
    return Group(f"{function}(", tuple(parts), ")", split=split)


def listed(parts: Iterable[Part]) -> Group:
    """A list."""
    return Group("[", tuple(parts), "]")


def mapped(items: Iterable[tuple[Any, Part]], *, split: bool = False) -> Group:
    """A mapping of values to parts."""
    return Group("{", tuple(Named(f"{literal(key)}: ", item) for key, item in items), "}", split=split)


def laid_out(part: Part, depth: int = 0, before: int = 0, *, after: int = 1, width: int = WIDTH) -> str:
    """A part as text: on one line if it fits between what stands before and after it.

    Args:
        part: What is laid out.
        depth: How many indents its line has.
        before: How many characters stand before it on its line, indents among them.
        after: How many follow it there.
        width: How long a line may be.
    """
    if isinstance(part, Named):
        return part.label + laid_out(part.part, depth, before + len(part.label), after=after, width=width)
    if isinstance(part, str):
        return part
    items = ", ".join(laid_out(item, width=_ENDLESS) for item in part.parts)
    flat = f"{part.opening}{items}{',' * part.comma}{part.closing}"
    fits = before + len(flat) + after <= width and not part.split and "\n" not in flat
    if fits or not part.parts:
        return flat
    inner = INDENT * (depth + 1)
    lines = [f"{inner}{laid_out(item, depth + 1, len(inner), width=width)}," for item in part.parts]
    return "\n".join([part.opening, *lines, INDENT * depth + part.closing])


def docstring(text: str) -> str:
    """A text as the docstring of a file."""
    written = literal(text)
    return f'""{written}""' if written.startswith('"') else written


def imports(body: str) -> list[str]:
    """The lines that import what a file's body names."""
    names = {node.id for node in ast.walk(ast.parse(body)) if isinstance(node, ast.Name)}
    times = [name for name in ("date", "timedelta") if name in names]
    modules = [line for name, line in _MODULES.items() if name in names]
    return [*([f"from datetime import {', '.join(times)}", ""] if times else []), *modules]


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:_}" if abs(value) >= 10_000 else repr(value)
    if isinstance(value, float):
        return repr(float(value)) if math.isfinite(value) else f'float("{float(value)}")'
    return repr(value)


def _text(value: str) -> str:
    """A string by its repr, in double quotes unless those cost more escapes."""
    written = repr(str(value))
    if written.startswith("'") and value.count('"') <= value.count("'"):
        inner = written[1:-1].replace("\\'", "'").replace('"', '\\"')
        return f'"{inner}"'
    return written


def _timedelta(value: timedelta) -> Part:
    hours, rest = divmod(value.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = {"days": value.days, "hours": hours, "minutes": minutes, "seconds": seconds}
    parts["microseconds"] = value.microseconds
    return call("timedelta", keywords({name: number for name, number in parts.items() if number}))


def _moment(value: datetime) -> str:
    zone = "" if str(value.tzinfo) in ("None", "UTC") else f".tz_convert({_text(str(value.tzinfo))})"
    return f"pd.Timestamp({_text(value.isoformat())}){zone}"


def _made(value: Any) -> Part:
    """One of our own values by the arguments that differ from their defaults."""
    said = {item.name: getattr(value, item.name) for item in fields(value)}
    usual = {item.name: item.default for item in fields(value) if item.default is not MISSING}
    parts = keywords({name: item for name, item in said.items() if name not in usual or usual[name] != item})
    return call(f"tg.{type(value).__name__}", parts or keywords(said))
