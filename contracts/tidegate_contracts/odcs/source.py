"""Drafts as the Python of a contract file.

All that comes from a document is written as a literal: nothing in it can become code, a comment or a line of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, timedelta
from typing import Any

from tidegate_contracts.odcs.draft import Draft, DraftCheck, DraftColumn
from tidegate_contracts.odcs.types import Dtype

_WIDTH = 110
_SHORT = {
    "greater_than_or_equal_to": "ge",
    "greater_than": "gt",
    "less_than_or_equal_to": "le",
    "less_than": "lt",
    "equal_to": "eq",
    "not_equal_to": "ne",
}


def source(draft: Draft, title: str) -> str:
    """The text of a contract file.

    Args:
        draft: What it says.
        title: The file's docstring: a sentence of our own, never of a document.
    """
    columns = [f"{literal(column.name)}: {_column(column)}" for column in draft.columns]
    schema = _call("pa.DataFrameSchema", [_listed("{", columns, "}", 1), *_keywords(draft.schema)], 0, always=True)
    arguments = _keywords(draft.arguments)
    contract = _call("tg.Contract", [*arguments[:3], "schema=schema", *arguments[3:]], 0, always=True)
    body = f"schema = {schema}\n\ncontract = {contract}\n"
    return f'"""{title}"""\n\n{_imports(body)}\n\n{body}'


def _imports(body: str) -> str:
    """The imports that the body needs; a name that stands in a text only is imported in vain, and does no harm."""
    names = [name for name in ("date", "timedelta") if f"{name}(" in body]
    lines = [f"from datetime import {', '.join(names)}", ""] if names else []
    lines += [f"import {name}{alias}" for name, alias, sign in _MODULES if sign in body]
    return "\n".join([*lines, "import pandera.pandas as pa", "", "import tidegate as tg"])


_MODULES = (("pandas", " as pd", "pd."), ("pyarrow", "", "pyarrow."))


def _column(column: DraftColumn) -> str:
    checks = [_check(check) for check in column.checks]
    parts = [_dtype(column.dtype)]
    parts += [f"checks={_listed('[', checks, ']', 3)}"] if checks else []
    return _call("pa.Column", [*parts, *_keywords(column.arguments)], 2)


def _check(check: DraftCheck) -> str:
    kind = _SHORT.get(check.kind, check.kind)
    arguments = dict(check.arguments)
    if len(arguments) == 1:
        return f"pa.Check.{kind}({literal(*arguments.values())})"
    return f"pa.Check.{kind}({', '.join(_keywords(arguments))})"


def _dtype(dtype: Dtype) -> str:
    if dtype.categories is not None:
        return f"pd.CategoricalDtype({literal(list(dtype.categories))}, ordered={dtype.ordered})"
    if dtype.arrow is not None:
        name, arguments = dtype.arrow
        return f"pd.ArrowDtype(pyarrow.{name}({', '.join(map(literal, arguments))}))"
    return literal(dtype.text)


def _keywords(arguments: Mapping[str, Any]) -> list[str]:
    return [f"{name}={literal(value)}" for name, value in arguments.items()]


def _call(function: str, parts: Iterable[str], level: int, *, always: bool = False) -> str:
    return function + _listed("(", list(parts), ")", level, always=always)


def _listed(opening: str, parts: list[str], closing: str, level: int, *, always: bool = False) -> str:
    """Parts on one line where they fit, else one a line."""
    line = opening + ", ".join(parts) + closing
    if not always and opening != "{" and "\n" not in line and len(line) + 4 * level < _WIDTH - 20:
        return line
    inner = "    " * (level + 1)
    return opening + "".join(f"\n{inner}{part}," for part in parts) + "\n" + "    " * level + closing


def literal(value: Any) -> str:
    """A value as Python that makes it again."""
    if isinstance(value, str):
        text = repr(value)
        return f'"{text[1:-1]}"' if text.startswith("'") and '"' not in text else text
    if isinstance(value, list | tuple):
        inner = ", ".join(map(literal, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' * (len(value) == 1)})"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, timedelta):
        return _timedelta(value)
    if hasattr(value, "nanosecond"):
        return f"pd.Timestamp({literal(value.isoformat())}{_zone(value)})"
    if isinstance(value, date):
        return f"date({value.year}, {value.month}, {value.day})"
    if is_dataclass(value) and not isinstance(value, type):
        return _made(value)
    return repr(value)


def _timedelta(value: timedelta) -> str:
    hours, rest = divmod(value.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = {"days": value.days, "hours": hours, "minutes": minutes, "seconds": seconds}
    parts["microseconds"] = value.microseconds
    return f"timedelta({', '.join(f'{name}={number}' for name, number in parts.items() if number)})"


def _zone(value: Any) -> str:
    return "" if value.tzinfo is None else f").tz_convert({literal(str(value.tzinfo))}"


def _made(value: Any) -> str:
    """One of our own values by the arguments that differ from their defaults."""
    said = {item.name: getattr(value, item.name) for item in fields(value)}
    usual = {item.name: item.default for item in fields(value) if item.default is not MISSING}
    parts = _keywords({name: item for name, item in said.items() if name not in usual or usual[name] != item})
    return f"tg.{type(value).__name__}({', '.join(parts or _keywords(said))})"
