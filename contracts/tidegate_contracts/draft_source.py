"""A draft as a Python file that makes the contract.

Names and values of the data reach the file only through :func:`literal`, so none of them can be read as code.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tidegate_contracts.draft import Argument, Draft, DraftColumn, Rule

_WIDTH = 88
_INDENT = "    "
_ENDLESS = 10**9


def source_of(draft: Draft, name: str, *, owner: str | None = None) -> str:
    """The draft as the text of a Python file; the same draft gives the same text.

    Args:
        draft: What was drafted.
        name: The dataset.
        owner: Who answers for it, if that is known.
    """
    return "\n".join([*_head(draft, name), "", *_schema(draft), "", *_contract(draft, name, owner), ""])


def literal(value: Any) -> str:
    """A value as Python source, as a formatter would write it.

    >>> print(literal('say "no"'), literal(10000), literal(("a",)))
    'say "no"' 10_000 ("a",)
    """
    return _layout(_part(value), 0, 0, width=_ENDLESS)


@dataclass(frozen=True, slots=True)
class _Group:
    """A bracketed list of parts that stands on one line if it fits, else one part a line."""

    opening: str
    parts: tuple[Any, ...]
    closing: str
    comma: bool = False


def _part(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool | None):
        return repr(value)
    if isinstance(value, int):
        return f"{value:_}" if abs(value) >= 10_000 else repr(value)
    if isinstance(value, timedelta):
        days = value.days if value.seconds == 0 else None
        return f"timedelta(days={days})" if days else f"timedelta(seconds={int(value.total_seconds())})"
    if isinstance(value, list):
        return _Group("[", tuple(map(_part, value)), "]")
    if isinstance(value, tuple):
        return _Group("(", tuple(map(_part, value)), ")", comma=len(value) == 1)
    if isinstance(value, Mapping):
        return _Group("{", tuple(f"{literal(key)}: {literal(item)}" for key, item in value.items()), "}")
    return repr(value)


def _text(value: str) -> str:
    """A string by its repr, in double quotes unless those cost more escapes."""
    written = repr(value)
    if written.startswith("'") and value.count('"') <= value.count("'"):
        inner = written[1:-1].replace("\\'", "'").replace('"', '\\"')
        return f'"{inner}"'
    return written


@dataclass(frozen=True, slots=True)
class _Named:
    """A part with what stands before it: the name of an argument, or a key."""

    label: str
    part: Any


def _layout(part: Any, depth: int, before: int, *, after: int = 1, width: int = _WIDTH) -> str:
    """A part as text: on one line if it fits between what stands before and after it."""
    if isinstance(part, _Named):
        return part.label + _layout(part.part, depth, before + len(part.label), after=after, width=width)
    if isinstance(part, str):
        return part
    flat: str = part.opening + ", ".join(_layout(item, 0, 0, width=_ENDLESS) for item in part.parts) + part.closing
    flat = flat[: -len(part.closing)] + "," + part.closing if part.comma else flat
    if before + len(flat) + after <= width or not part.parts:
        return flat
    inner = _INDENT * (depth + 1)
    lines = [f"{inner}{_layout(item, depth + 1, len(inner))}," for item in part.parts]
    return "\n".join([part.opening, *lines, _INDENT * depth + part.closing])


def _comment(text: str, depth: int) -> list[str]:
    """A guess as comment lines; what stands in it of the data is already a literal."""
    indent = _INDENT * depth
    return textwrap.wrap(
        f"guessed: {text}",
        _WIDTH,
        initial_indent=f"{indent}# ",
        subsequent_indent=f"{indent}# ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _head(draft: Draft, name: str) -> list[str]:
    files = "a file" if draft.files == 1 else f"{draft.files:,} files"
    sources = [column.dtype or "" for column in draft.columns]
    duration = any(isinstance(item.value, timedelta) for item in draft.arguments)
    imports = [
        *(["from datetime import timedelta", ""] if duration else []),
        *(["import pandas as pd"] if any(source.startswith("pd.") for source in sources) else []),
        "import pandera.pandas as pa",
        *(["import pyarrow"] if any("pyarrow." in source for source in sources) else []),
        "import tidegate as tg",
    ]
    return [
        f'"""The contract of {name}, drafted from {draft.rows:,} rows in {files}.',
        "",
        "Look at each guess: keep it, change it, or strike it out. Say what the columns mean",
        'with description=, and in which unit they are with metadata={"unit": …}.',
        '"""',
        "",
        *imports,
    ]


def _schema(draft: Draft) -> list[str]:
    lines = ["schema = pa.DataFrameSchema(", f"{_INDENT}{{"]
    for column in draft.columns:
        for note in column.notes:
            lines += _comment(note, 2)
        entry = _Named(f"{_text(column.name)}: ", _column(column))
        lines.append(f"{_INDENT * 2}{_layout(entry, 2, len(_INDENT * 2))},")
    return [*lines, f"{_INDENT}}},", f"{_INDENT}strict=True,  # no column that is not declared", ")"]


def _column(column: DraftColumn) -> _Group:
    checks = tuple(_check(rule) for rule in column.rules)
    parts: list[Any] = [column.dtype] if column.dtype else []
    if len(checks) == 1 and column.dtype:
        parts.append(checks[0])
    elif checks:
        parts.append(_Named("checks=", _Group("[", checks, "]")))
    for name, value, usual in (
        ("nullable", column.nullable, False),
        ("unique", column.unique, False),
        ("required", column.required, True),
    ):
        if value != usual:
            parts.append(f"{name}={value!r}")
    if column.personal:
        parts.append('metadata={"personal": True}')
    return _Group("pa.Column(", tuple(parts), ")")


def _check(rule: Rule) -> _Group:
    return _Group(f"pa.Check.{rule.check}(", tuple(_pattern(rule, item) for item in rule.arguments), ")")


def _pattern(rule: Rule, value: Any) -> Any:
    if rule.check == "str_matches" and isinstance(value, str) and not set(value) & set('"\n\r'):
        return f'r"{value}"' if "\\" in value and not value.endswith("\\") else _text(value)
    return _part(value)


def _contract(draft: Draft, name: str, owner: str | None) -> list[str]:
    who = _text(owner) if owner is not None else '"nobody yet"'
    lines = ["contract = tg.Contract(", f"{_INDENT}name={_text(name)},", f'{_INDENT}version="0.1.0",']
    lines.append(f"{_INDENT}owner={who}," + ("" if owner is not None else "  # write who answers for it"))
    lines.append(f"{_INDENT}schema=schema,")
    for argument in draft.arguments:
        lines += _argument(argument)
    return [*lines, ")"]


def _argument(argument: Argument) -> list[str]:
    entry = _layout(_Named(f"{argument.name}=", _part(argument.value)), 1, len(_INDENT))
    if argument.proposed:
        return [*_comment(argument.note, 1), f"{_INDENT}# {argument.name}={literal(argument.value)},"]
    return [*_comment(argument.note, 1), f"{_INDENT}{entry},"]
