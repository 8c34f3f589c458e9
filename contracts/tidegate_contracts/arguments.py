"""The arguments of a contract: one parser each, so that what a contract holds can be trusted."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from functools import partial
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tidegate_contracts.alarm_budget import AlarmBudget
from tidegate_contracts.catalogue import CATALOGUE, Stage
from tidegate_contracts.errors import ContractError
from tidegate_contracts.foreign_key import ForeignKey
from tidegate_contracts.sample import Sample
from tidegate_contracts.severity import Severity
from tidegate_contracts.suppression import Suppression
from tidegate_contracts.upstream import Upstream

ACTIONS = ("pass", "quarantine", "halt", "fallback")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_VERSION = re.compile(r"\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.-]+)?")
_ROLES = ("event_time", "prediction_time", "prediction", "label", "annotator", "model_version", "baseline")
_SEASONS = (None, "day_of_week", "day_of_year")
_ON_MONITOR_ERROR = ("halt", "publish")


def parse(name: str, value: Any) -> Any:
    """An argument's value, frozen.

    Raises:
        ContractError: It is not allowed; the message says what was found and what is.
    """
    if isinstance(value, str) and value != value.encode("utf-8", "replace").decode():
        raise ContractError(f"contract argument {name!r}", found=ascii(value), allowed="valid Unicode")
    parser = _PARSERS.get(name)
    return parser(name, value) if parser is not None else value


def _refused(name: str, value: Any, allowed: str, hint: str | None = None) -> ContractError:
    return ContractError(f"contract argument {name!r}", found=repr(value), allowed=allowed, hint=hint)


def _match(pattern: re.Pattern[str], allowed: str, name: str, value: Any) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise _refused(name, value, allowed)
    return value


def _owner(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _refused(name, value, "who answers for the dataset")
    return value


def _one_of(allowed: tuple[Any, ...], name: str, value: Any) -> Any:
    if value not in allowed:
        raise _refused(name, value, " or ".join(map(repr, allowed)))
    return value


def _truth(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _refused(name, value, "True or False")
    return value


def _column(name: str, value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise _refused(name, value, "the name of a column")
    return value


def _columns(name: str, value: Any) -> tuple[str, ...] | None:
    if value is None and name == "features":
        return None
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise _refused(name, value, "a tuple of column names", f"write {name}=({value!r},)")
    return tuple(value)


def _score(name: str, value: Any) -> str | tuple[str, ...] | None:
    if value is None or isinstance(value, str):
        return value
    columns = _columns(name, value)
    if not columns or any(columns.count(item) > 1 for item in columns):
        raise _refused(name, value, "the name of a column, or a tuple of one column for each class")
    return columns


def _zone(name: str, value: Any) -> str | None:
    try:
        ZoneInfo(value or "UTC")
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError) as error:
        raise _refused(name, value, "a name such as 'Europe/Paris'") from error
    return value if value is None else str(value)


def _duration(name: str, value: Any) -> timedelta | None:
    if value is not None and (not isinstance(value, timedelta) or value < timedelta(0)):
        raise _refused(name, value, "a timedelta of zero or more")
    if name == "cadence" and value == timedelta(0):
        raise _refused(name, value, "a timedelta above zero")
    return value


def _day(name: str, value: Any) -> date | None:
    if value is not None and (not isinstance(value, date) or isinstance(value, datetime)):
        raise _refused(name, value, "a datetime.date")
    return value


def _whole(least: int, name: str, value: Any) -> int:
    if not _is_whole(value) or value < least:
        raise _refused(name, value, f"a whole number from {least} up")
    return int(value)


def _tolerance(name: str, value: Any) -> float:
    if not _is_number(value) or not 0 <= value < 1:
        raise _refused(name, value, f"a share of rows, 0 <= {name} < 1")
    return float(value)


def _above_zero(allowed: str, name: str, value: Any) -> float:
    if not _is_number(value) or value <= 0:
        raise _refused(name, value, f"{allowed}, above zero")
    return float(value)


def _threshold(name: str, value: Any) -> float | None:
    if value is not None and (not _is_number(value) or not 0 < value < 1):
        raise _refused(name, value, f"0 < {name} < 1")
    return value if value is None else float(value)


def _costs(name: str, value: Any) -> tuple[float, float] | None:
    if value is None:
        return None
    pair = _pair(value)
    if pair is None or min(pair) < 0:
        raise _refused(name, value, "(cost of a false positive, cost of a false negative), each zero or more")
    return float(pair[0]), float(pair[1])


def _volume(name: str, value: Any) -> tuple[int, int] | str | None:
    if value is None or value == "learnt":
        return value  # type: ignore[no-any-return] # one of two literals
    pair = _pair(value)
    if pair is None or not all(map(_is_whole, pair)) or not 0 <= pair[0] <= pair[1]:
        raise _refused(name, value, "(least, greatest) number of rows, or 'learnt'")
    return int(pair[0]), int(pair[1])


def _classes(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        for item, shares in value.items():
            pair = _pair(shares)
            if pair is None or not 0 <= pair[0] <= pair[1] <= 1:
                raise _refused(f"{name}[{item!r}]", shares, "(least, greatest) share of rows, in [0, 1]")
        return MappingProxyType({item: tuple(shares) for item, shares in value.items()})
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise _refused(name, value, "a tuple of classes, or a mapping of each to its shares")
    return tuple(value)


def _population(name: str, value: Any) -> Mapping[str, Mapping[str, float]]:
    shares = _mapping(name, value)
    for column, parts in shares.items():
        total = sum(_mapping(f"{name}[{column!r}]", parts).values()) if _all_shares(parts) else None
        if total is None or not math.isclose(total, 1, abs_tol=0.01):
            raise _refused(f"{name}[{column!r}]", parts, "shares in [0, 1] that add up to 1")
    return MappingProxyType({column: MappingProxyType(dict(parts)) for column, parts in shares.items()})


def _all_shares(parts: Any) -> bool:
    return isinstance(parts, Mapping) and all(_is_number(share) and 0 <= share <= 1 for share in parts.values())


def _floors(name: str, value: Any) -> Mapping[str, float]:
    floors = _mapping(name, value)
    for metric, least in floors.items():
        if not _is_number(least):
            raise _refused(f"{name}[{metric!r}]", least, "a finite number")
    return floors


def _severity(name: str, value: Any) -> Mapping[str, str]:
    words = _mapping(name, value)
    for check, word in words.items():
        _known(name, check)
        if word not in list(Severity):
            raise _refused(f"{name}[{check!r}]", word, ", ".join(Severity))
    return words


def _actions(name: str, value: Any) -> Mapping[str, str]:
    words = _mapping(name, value)
    for severity, action in words.items():
        if severity not in list(Severity) or action not in ACTIONS:
            raise _refused(f"{name}[{severity!r}]", action, f"{', '.join(Severity)}, each one of {', '.join(ACTIONS)}")
    return words


def _waived(name: str, value: Any) -> Mapping[str, str]:
    reasons = _mapping(name, value)
    for check, reason in reasons.items():
        _known(name, check)
        if CATALOGUE[check].stage is not Stage.CONTRACT:
            raise _refused(name, check, "checks of contract time", "a check of batches is made milder by severity={…}")
        if not isinstance(reason, str) or not reason.strip():
            raise _refused(f"{name}[{check!r}]", reason, "the reason why it does not apply")
    return reasons


def _known(name: str, check: Any) -> None:
    if check not in CATALOGUE:
        close = get_close_matches(str(check), CATALOGUE, n=1)
        hint = f"did you mean {close[0]!r}?" if close else None
        raise ContractError(f"{name}: unknown check", found=repr(check), hint=hint)


def _mapping(name: str, value: Any) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise _refused(name, value, "a mapping")
    return MappingProxyType(dict(value))


def _callable(name: str, value: Any) -> Any:
    if value is not None and not callable(value):
        raise _refused(name, value, "a function from a data frame to one truth value a row, or a pandera check")
    return value


def _instance(kind: type, name: str, value: Any) -> Any:
    if value is not None and not isinstance(value, kind):
        raise _refused(name, value, f"{kind.__name__}(…)")
    return value


def _instances(kind: type, name: str, value: Any) -> tuple[Any, ...]:
    items = (value,) if isinstance(value, kind) else value
    if isinstance(items, str) or not isinstance(items, Iterable):
        raise _refused(name, value, f"a tuple of {kind.__name__}(…)")
    return tuple(_instance(kind, name, item) for item in items)


def _pair(value: Any) -> tuple[Any, Any] | None:
    if isinstance(value, list | tuple) and len(value) == 2 and all(map(_is_number, value)):
        return value[0], value[1]
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_PARSERS: Mapping[str, Callable[[str, Any], Any]] = {
    "name": partial(_match, _NAME, "lower-case letters, digits and _, starting with a letter, at most 63"),
    "version": partial(_match, _VERSION, "major.minor.patch, such as '1.0.0'"),
    "owner": _owner,
    "reviewed_on": _day,
    "time_zone": _zone,
    "season": partial(_one_of, _SEASONS),
    "on_monitor_error": partial(_one_of, _ON_MONITOR_ERROR),
    "shadow": _truth,
    "tolerance": _tolerance,
    "effect_floor": partial(_above_zero, "standard deviations of the reference"),
    "bias_tolerance": partial(_above_zero, "a difference of means in the label's unit"),
    "score": _score,
    "rows_min": partial(_whole, 0),
    "failure_threshold": partial(_whole, 1),
    "classes": _classes,
    "decision_threshold": _threshold,
    "costs": _costs,
    "floors": _floors,
    "volume": _volume,
    "scope": _callable,
    "population": _population,
    "severity": _severity,
    "actions": _actions,
    "waived": _waived,
    "upstream": partial(_instances, Upstream),
    "references": partial(_instances, ForeignKey),
    "suppression": partial(_instance, Suppression),
    "alarm_budget": partial(_instance, AlarmBudget),
    "keep_sample": partial(_instance, Sample),
    **dict.fromkeys(_ROLES, _column),
    **dict.fromkeys(("key", "entity", "features", "slices", "standardised"), _columns),
    **dict.fromkeys(("cadence", "arrive_within", "label_delay", "cool_down", "freshness", "max_age"), _duration),
}


def names_in(value: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """The columns that an argument names which takes none, one, or several."""
    return (value,) if isinstance(value, str) else value or ()


COLUMNS: Mapping[str, Callable[[Any], Iterable[Any]]] = {
    **dict.fromkeys((*_ROLES, "score"), names_in),
    **dict.fromkeys(("key", "entity", "slices", "standardised"), tuple),
    "features": lambda names: names or (),
    "references": lambda keys: (name for key in keys for name in key.columns),
    "population": lambda shares: shares.keys(),
    "suppression": lambda item: () if item is None else (item.column,),
}
"""Arguments that name columns, and the names in their values."""
