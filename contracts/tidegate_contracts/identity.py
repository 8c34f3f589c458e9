"""What a contract says, as plain values: the ground of its identity."""

from __future__ import annotations

import hashlib
import inspect
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, is_dataclass
from datetime import date, timedelta
from functools import partial
from types import CodeType
from typing import Any

from tidegate_contracts.dialect import dialect_of


def json_value(value: Any) -> Any:
    """A value of an argument as a JSON value; what has no other form becomes its repr."""
    if isinstance(value, Mapping):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(item) for item in value]
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, date):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return json_value(asdict(value))
    if callable(value) and not isinstance(value, type):
        return _check(value) if hasattr(value, "statistics") else list(code_of(value, set()))
    return value if isinstance(value, str | int | float | bool | None) else stable_repr(value)


def strict_json(value: Any) -> Any:
    """A value as strict JSON: no NaN, no infinity, no text that has no UTF-8."""
    value = json_value(value)
    if isinstance(value, dict):
        return {strict_json(key): strict_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [strict_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def stable_repr(value: Any) -> str:
    """A value's repr, the same in every process: sets have no order of their own."""
    if isinstance(value, set | frozenset):
        items = ", ".join(sorted(map(stable_repr, value)))
        return f"{{{items}}}" if isinstance(value, set) else f"frozenset({{{items}}})"
    if isinstance(value, tuple | list):
        items = ", ".join(map(stable_repr, value))
        return f"[{items}]" if isinstance(value, list) else f"({items})"
    return repr(value)


def describe_schema(schema: Any) -> dict[str, Any]:
    """All that a pandera schema says, as JSON values."""
    levels = getattr(schema.index, "indexes", [schema.index])
    return {
        **{name: json_value(getattr(schema, name)) for name in ("strict", "ordered", "unique", "coerce")},
        "dialect": dialect_of(schema).value,
        "dtype": None if schema.dtype is None else str(schema.dtype),
        "columns": [_field(column) for column in schema.columns.values()],
        "index": [_field(level) for level in levels if level is not None],
        "index_rules": {
            name: json_value(getattr(schema.index, name, None)) for name in ("unique", "strict", "ordered", "coerce")
        },
        "checks": [_check(check) for check in schema.checks],
    }


def _field(field_: Any) -> dict[str, Any]:
    """What a pandera column or index level says, as JSON values."""
    native = getattr(field_.dtype, "type", None)
    categories = getattr(native, "categories", None)
    return {
        **{
            name: json_value(getattr(field_, name, None))
            for name in ("name", "nullable", "unique", "coerce", "required", "regex")
        },
        "type": [str(field_.dtype), repr(native), json_value([] if categories is None else list(categories))],
        "report_duplicates": str(getattr(field_, "report_duplicates", "all")),
        "checks": [_check(check) for check in field_.checks],
    }


def clause(check: Any) -> str:
    """A pandera check in words: its own error text, or its name and arguments."""
    statistics = check.statistics or {}
    if check.name in ("isin", "notin") and str(check.error).startswith((f"{check.name}({{", f"{check.name}(frozenset")):
        # pandera's own text of a set is in the order of the day
        return f"{check.name}({{{', '.join(sorted(map(stable_repr, *statistics.values())))}}})"
    if check.error:
        return str(check.error)
    arguments = ", ".join(f"{key}={stable_repr(value)}" for key, value in statistics.items())
    return f"{check.name}({arguments})" if arguments else str(check.name)


def is_built_in(check: Any) -> bool:
    """Whether a check is pandera's own, whatever it was renamed to."""
    return type(getattr(check, "_check_fn", None)).__module__.startswith("pandera.")


def _check(check: Any) -> dict[str, Any]:
    """A pandera check as JSON values: its arguments, and the source of its code where it is custom."""
    return {
        **{name: json_value(getattr(check, name)) for name in ("name", "ignore_na", "element_wise", "raise_warning")},
        "clause": clause(check),
        "statistics": {name: _statistic(check.name, value) for name, value in (check.statistics or {}).items()},
        # a built-in check is wholly described by its name and arguments
        "code": [] if is_built_in(check) else list(code_of(getattr(check, "_check_fn", check), set())),
    }


def _statistic(check: str, value: Any) -> Any:
    """An argument of a built-in check; allowed and forbidden values are sets, whatever they were given as."""
    if check in ("isin", "notin"):
        return sorted(map(stable_repr, value))
    return json_value(value)


def code_of(function: Any, seen: set[int]) -> Iterable[str]:
    """The source of a function, or its byte code where there is no source, and what it closes over."""
    while isinstance(function, partial):
        yield repr(json_value([*function.args, *sorted(function.keywords.items())]))
        function = function.func
    function = inspect.unwrap(function)
    function = getattr(function, "__func__", function)
    code = getattr(function, "__code__", None)
    if code is None or id(function) in seen:
        return
    seen.add(id(function))
    if not str(getattr(function, "__module__", "")).startswith("pandera."):
        yield _source(function, code)
        yield from _context(function, code, seen)
    for cell in function.__closure__ or ():
        held = getattr(cell.cell_contents, "check_fn", cell.cell_contents)  # pandera wraps methods of models
        if callable(held) and not isinstance(held, type):
            yield from code_of(held, seen)
        elif isinstance(held, str | int | float | bool | tuple | list | frozenset | None):
            yield stable_repr(held)


def _context(function: Any, code: CodeType, seen: set[int]) -> Iterable[str]:
    """The plain values and functions of its module that a function uses: another limit makes another check."""
    for name in sorted(set(_names(code))):
        held = function.__globals__.get(name)
        if isinstance(held, _PLAIN) and not name.startswith("__"):
            yield f"{name}={stable_repr(held)}"
        elif getattr(held, "__module__", None) == function.__module__ and hasattr(held, "__code__"):
            yield from code_of(held, seen)


_PLAIN = (str, int, float, bool, tuple, list, set, frozenset, dict)


def _names(code: CodeType) -> Iterable[str]:
    """The names that code reads, and those that the functions within it read."""
    yield from code.co_names
    for item in code.co_consts:
        if isinstance(item, CodeType):
            yield from _names(item)


def _source(function: Any, code: CodeType) -> str:
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        parts = (code.co_code, code.co_names, [item for item in code.co_consts if not isinstance(item, CodeType)])
        return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()
