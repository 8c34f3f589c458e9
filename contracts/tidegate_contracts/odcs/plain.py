"""Values of arguments as document values, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from typing import Any

from tidegate_contracts.identity import stable_repr

PREFIX = "tidegate."
"""What stands before the names of custom properties that are ours."""


class NoForm(ValueError):  # noqa: N818 - it says what there is not
    """A value has no form in a document, such as a function."""


def plain(value: Any) -> Any:
    """A value as a document can hold it.

    Durations and days become ISO 8601 text, tuples lists, sets sorted lists, our own values objects, and mappings whose
    keys are no texts ``{"pairs": [[key, value], …]}``.

    Raises:
        NoForm: It has none: a function, NaN, an object of a foreign class.
    """
    if isinstance(value, Mapping):
        return _plain_mapping(value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return [plain(item) for item in sorted(value, key=stable_repr)]
    if isinstance(value, timedelta):
        return iso_duration(value)
    if isinstance(value, datetime | date):
        return _moment(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
    return _scalar(value)


def _plain_mapping(value: Mapping[Any, Any]) -> dict[str, Any]:
    if all(isinstance(key, str) for key in value) and list(value) != ["pairs"]:
        return {clean(key): plain(item) for key, item in value.items()}
    return {"pairs": [[plain(key), plain(item)] for key, item in value.items()]}


def _moment(value: Any) -> str:
    if value != value:  # NaT is a datetime, and not itself
        raise NoForm("a missing time")
    return str(value.isoformat())


def _scalar(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:  # a numpy scalar
        value = value.item()
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise NoForm(f"a {type(value).__name__}")


def clean(text: str) -> str:
    """Text that is valid Unicode; lone surrogates are written as escapes."""
    return str(text).encode("utf-8", "backslashreplace").decode()


def unpaired(value: Any) -> Any:
    """What :func:`plain` made of mappings, as mappings again."""
    if isinstance(value, list):
        return [unpaired(item) for item in value]
    if not isinstance(value, dict):
        return value
    pairs = value.get("pairs")
    if list(value) != ["pairs"] or not isinstance(pairs, list):
        return {key: unpaired(item) for key, item in value.items()}
    if not all(isinstance(pair, list) and len(pair) == 2 and _is_key(pair[0]) for pair in pairs):
        raise NoForm("pairs that are no [key, value]")
    return {key: unpaired(item) for key, item in pairs}


def _is_key(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def iso_duration(value: timedelta) -> str:
    """A duration in ISO 8601, exact to the microsecond."""
    if value < timedelta(0):
        raise NoForm("a negative duration")
    hours, rest = divmod(value.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    second = f"{seconds}.{value.microseconds:06}".rstrip("0") if value.microseconds else str(seconds)
    parts = [f"{hours}H" * bool(hours), f"{minutes}M" * bool(minutes), f"{second}S" * (second != "0")]
    time = "".join(parts)
    day = f"{value.days}D" * bool(value.days)
    return f"P{day}T{time}" if time else f"P{day or '0D'}"
