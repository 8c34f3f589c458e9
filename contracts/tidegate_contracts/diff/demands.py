"""What a column's checks demand of its values, so that two lists of checks can be compared by what they let through.

pandera's own checks are read by their arguments: several bounds are one bound, the tightest; several sets of allowed
values are what they share. So ``ge=0, le=9`` and ``in_range(0, 9)`` demand the same. A pattern, or a check with code
of its own, cannot be held against another: if it is another one, one demand is gone and one has come.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tidegate_contracts.catalogue import CATALOGUE
from tidegate_contracts.diff.change import Change, Side, loosening, semantic, tightening
from tidegate_contracts.identity import clause, code_of, json_value, stable_repr
from tidegate_contracts.portable_regex import regex_of

PATTERNS = ("str_matches", "str_contains", "str_startswith", "str_endswith")
Bound = tuple[Any, bool]
"""A value, and whether it is itself outside."""


@dataclass(slots=True)
class Demands:
    """What a list of checks demands.

    Attributes:
        bounds: By their name, the bounds that were given.
        allowed: The sets of allowed values.
        forbidden: The sets of forbidden values.
        others: Demands that only equal themselves, by what identifies them; the value is their text.
        missing: Whether missing values are held against the checks.
        warnings: Checks that only warn.
        names: Names from the catalogue that findings of these checks have.
    """

    bounds: dict[str, list[Bound]] = field(default_factory=dict)
    allowed: list[frozenset[Hashable]] = field(default_factory=list)
    forbidden: list[frozenset[Hashable]] = field(default_factory=list)
    others: dict[str, str] = field(default_factory=dict)
    missing: bool = False
    warnings: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, checks: Iterable[Any]) -> Demands:
        """Read pandera checks."""
        found = cls()
        for check in checks:
            if check.raise_warning:
                found.warnings.append(clause(check))
                continue
            found.missing |= not check.ignore_na
            if check.name in CATALOGUE:
                found.names.append(check.name)
            reader = _READERS.get(_builtin(check)) if check.groupby is None else None
            if reader is None or not reader(found, **check.statistics):
                found.others[_identity(check)] = clause(check)
        found.warnings.sort()
        found.names.sort()
        return found

    def bound(self, name: str, value: Any, *, outside: bool = False) -> bool:
        """Add a bound; False where its value has no order."""
        try:
            if value != value or not all(_is_ordered(value, other) for other, _ in self.bounds.get(name, [])):
                return False
        except (TypeError, ValueError):
            return False
        self.bounds.setdefault(name, []).append((value, outside))
        return True

    def tightest(self, name: str) -> Bound | None:
        """Of several bounds the one that counts; None where there is none."""
        found = self.bounds.get(name)
        if not found:
            return None
        values = [value for value, _ in found]
        value = max(values) if name in _LOWER else min(values)
        return value, any(outside for other, outside in found if other == value)


def changes(old: Demands, new: Demands, column: str | None) -> Iterator[Change]:
    """How what is demanded differs."""
    for name in _BOUND_WORDS:
        yield from _bound_changes(name, old, new, column)
    yield from _set_changes(old, new, column)
    lost, gained = old.others.keys() - new.others.keys(), new.others.keys() - old.others.keys()
    both = {old.others[key] for key in lost} & {new.others[key] for key in gained}
    for text in sorted(new.others[key] for key in gained):
        yield tightening("code of a check" if text in both else "check", None, text, column)
    for text in sorted(old.others[key] for key in lost):
        yield loosening("code of a check" if text in both else "check", text, None, column)
    if old.missing is not new.missing:
        yield (tightening if new.missing else loosening)(
            "missing values are held against checks", old.missing, new.missing, column
        )
    if old.warnings != new.warnings:
        yield semantic("checks that only warn", old.warnings, new.warnings, column, Side.NONE)
    if old.names != new.names:
        yield semantic("names of findings", old.names, new.names, column, Side.NONE)


def _bound_changes(name: str, old: Demands, new: Demands, column: str | None) -> Iterator[Change]:
    before, after = old.tightest(name), new.tightest(name)
    what, said = _BOUND_WORDS[name], (_said(name, before), _said(name, after))
    if before is None or after is None:
        if before is not None:
            yield loosening(what, *said, column)
        elif after is not None:
            yield tightening(what, *said, column)
        return
    try:
        if before[0] == after[0]:
            tighter, looser = after[1] and not before[1], before[1] and not after[1]
        else:
            tighter = bool(before[0] < after[0]) is (name in _LOWER)
            looser = not tighter
    except (TypeError, ValueError):  # a number and a time: one is gone, one has come
        tighter = looser = True
    if tighter:
        yield tightening(what, *said, column)
    if looser:
        yield loosening(what, *said, column)


def _set_changes(old: Demands, new: Demands, column: str | None) -> Iterator[Change]:
    before = frozenset.intersection(*old.allowed) if old.allowed else None
    after = frozenset.intersection(*new.allowed) if new.allowed else None
    if before is None and after is not None:
        yield tightening("allowed values", None, _listed(after), column)
    elif before is not None and after is None:
        yield loosening("allowed values", _listed(before), None, column)
    elif before is not None and after is not None:
        if before - after:
            yield tightening("allowed values", _listed(before - after), None, column)
        if after - before:
            yield loosening("allowed values", None, _listed(after - before), column)
    refused, refuses = frozenset().union(*old.forbidden), frozenset().union(*new.forbidden)
    if refuses - refused:
        yield tightening("forbidden values", None, _listed(refuses - refused), column)
    if refused - refuses:
        yield loosening("forbidden values", _listed(refused - refuses), None, column)


def _builtin(check: Any) -> str:
    """The name of pandera's own check, whatever it was renamed to; empty for others."""
    function = check._check_fn
    return str(function) if type(function).__name__ == "Dispatcher" else ""


def _identity(check: Any) -> str:
    """All that makes a check what it is, but for its words: patterns are the same that search for the same."""
    described = json_value(check) | {"clause": None, "name": _builtin(check) or check.name}
    patterns = [value for value in (check.statistics or {}).values() if isinstance(value, str)]
    if _builtin(check) in PATTERNS and len(patterns) == 1:
        described |= {"name": "pattern", "statistics": regex_of(_builtin(check), patterns[0])}
        return json.dumps([described, None, None], sort_keys=True, default=str)
    code = list(code_of(check._check_fn, set()))
    return json.dumps([described, code, json_value(check.groupby)], sort_keys=True, default=str)


def _is_ordered(one: Any, other: Any) -> bool:
    return bool(one < other) or bool(one >= other)


def _value(value: Any) -> Hashable:
    """A member of a set: equal numbers are one, and so are all values that are not even equal to themselves."""
    try:
        hash(value)
        return value if bool(value == value) else stable_repr(value)
    except (TypeError, ValueError):
        return stable_repr(value)


def _values(values: Iterable[Any]) -> frozenset[Hashable]:
    return frozenset(map(_value, values))


def _listed(values: frozenset[Hashable]) -> list[Any]:
    return sorted(values, key=stable_repr)


def _said(name: str, bound: Bound | None) -> str | None:
    if bound is None:
        return None
    value, outside = bound
    sign = (">" if name in _LOWER else "<") + ("" if outside else "=")
    return f"{sign} {value.isoformat() if hasattr(value, 'isoformat') else value}"


def _in_range(
    found: Demands, min_value: Any, max_value: Any, include_min: bool = True, include_max: bool = True
) -> bool:
    low = found.bound("lower", min_value, outside=not include_min)
    return found.bound("upper", max_value, outside=not include_max) and low


def _length(found: Demands, min_value: Any = None, max_value: Any = None, exact_value: Any = None) -> bool:
    least, most = (min_value, max_value) if exact_value is None else (exact_value, exact_value)
    low = least is None or found.bound("shortest", least)
    return (most is None or found.bound("longest", most)) and low


def _allowed(found: Demands, values: Iterable[Any]) -> bool:
    found.allowed.append(_values(values))
    return True


def _forbidden(found: Demands, values: Iterable[Any]) -> bool:
    found.forbidden.append(_values(values))
    return True


_LOWER = ("lower", "shortest")
_BOUND_WORDS = {
    "lower": "lower bound",
    "upper": "upper bound",
    "shortest": "least length",
    "longest": "greatest length",
}
_READERS: dict[str, Callable[..., bool]] = {
    "greater_than_or_equal_to": lambda found, min_value: found.bound("lower", min_value),
    "greater_than": lambda found, min_value: found.bound("lower", min_value, outside=True),
    "less_than_or_equal_to": lambda found, max_value: found.bound("upper", max_value),
    "less_than": lambda found, max_value: found.bound("upper", max_value, outside=True),
    "in_range": _in_range,
    "str_length": _length,
    "isin": lambda found, allowed_values: _allowed(found, allowed_values),
    "equal_to": lambda found, value: _allowed(found, (value,)),
    "notin": lambda found, forbidden_values: _forbidden(found, forbidden_values),
    "not_equal_to": lambda found, value: _forbidden(found, (value,)),
}
"""pandera's checks by name: what each adds to the demands. False means that it cannot be compared."""
