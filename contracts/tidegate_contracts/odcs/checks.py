"""pandera's checks as options and quality rules of a property, and back.

Bounds, lengths and one pattern are options of the logical type; allowed values and further patterns are the library
metric ``invalidValues``; what else pandera brings with it is a custom rule for the engine ``pandera``. A check in
Python has no form: people are told of it in a rule of type ``text``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tidegate_contracts.identity import clause, stable_repr
from tidegate_contracts.odcs.plain import NoForm, clean, plain
from tidegate_contracts.types import LogicalType

ENGINE = "pandera"
BOUNDS: Mapping[str, tuple[str, str]] = {
    "greater_than_or_equal_to": ("minimum", "min_value"),
    "greater_than": ("exclusiveMinimum", "min_value"),
    "less_than_or_equal_to": ("maximum", "max_value"),
    "less_than": ("exclusiveMaximum", "max_value"),
}
ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    **{kind: (argument,) for kind, (_, argument) in BOUNDS.items()},
    "in_range": ("min_value", "max_value", "include_min", "include_max"),
    "isin": ("allowed_values",),
    "notin": ("forbidden_values",),
    "str_matches": ("pattern",),
    "str_contains": ("pattern",),
    "str_startswith": ("string",),
    "str_endswith": ("string",),
    "str_length": ("min_value", "max_value", "exact_value"),
    "equal_to": ("value",),
    "not_equal_to": ("value",),
    "unique_values_eq": ("values",),
}
"""The checks that pandera brings with it, and the names of their arguments."""

EXTRAS: Mapping[str, Any] = {"name": None, "error": None, "ignore_na": True, "raise_warning": False}
_OPTIONS = (
    *("timezone", "defaultTimezone", "format"),
    *(option for option, _ in BOUNDS.values()),
    *("minLength", "maxLength", "pattern"),
)
NUMBERS = (LogicalType.INTEGER, LogicalType.NUMBER)
TIMES = (LogicalType.TIME, LogicalType.DATE)


@dataclass(slots=True)
class Rules:
    """The rules of a property while they are collected.

    Attributes:
        logical: The family of the property's type.
        options: Its options.
        quality: Its quality rules.
        lost: Checks that are in neither, in words.
    """

    logical: LogicalType
    options: dict[str, Any] = field(default_factory=dict)
    quality: list[dict[str, Any]] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    @property
    def ordered_options(self) -> dict[str, Any]:
        """The options, in an order that does not depend on that of the checks."""
        return {name: self.options[name] for name in _OPTIONS if name in self.options}

    def add(self, check: Any) -> None:
        """Add a ``pandera.Check``."""
        kind = getattr(check._check_fn, "__name__", "")
        if kind not in ARGUMENTS or not check.statistics or check.element_wise or check.groupby is not None:
            return self._tell(check)
        extras = _extras(check, kind)
        try:
            arguments = {name: value for name, value in check.statistics.items() if value is not None}
            if extras or not self._add_native(kind, arguments):
                arguments = {name: self._argument(_as_text(value)) for name, value in arguments.items()}
                words = extras.get("error") or f"{kind}({', '.join(map(str, arguments.values()))})"
                self.quality.append(
                    {**_custom({"check": kind, "arguments": arguments, **extras}), "description": words}
                )
        except NoForm:
            self._tell(check)
        return None

    def _argument(self, value: Any) -> Any:
        """An argument of a check: a text, number, truth value, or time of a column of times; or a list of them."""
        if isinstance(value, set | frozenset):
            value = sorted(value, key=stable_repr)
        if isinstance(value, list | tuple):
            return [self._argument(item) for item in value]
        bare = value.item() if hasattr(value, "item") else value
        if not isinstance(bare, str | int | float) and not (self.logical in TIMES and hasattr(bare, "isoformat")):
            raise NoForm("an argument that is neither text nor number")
        return plain(bare)

    def _tell(self, check: Any) -> None:
        text = clean(clause(check))
        self.lost.append(text)
        self.quality.append({"type": "text", "description": text})

    def _add_native(self, kind: str, arguments: dict[str, Any]) -> bool:
        """Add a check where the standard has a place of its own for it; whether it has."""
        if kind in BOUNDS:
            option, argument = BOUNDS[kind]
            return self._set({option: self._bound(arguments[argument])})
        if kind == "in_range":
            low = "minimum" if arguments["include_min"] else "exclusiveMinimum"
            high = "maximum" if arguments["include_max"] else "exclusiveMaximum"
            return self._set({low: self._bound(arguments["min_value"]), high: self._bound(arguments["max_value"])})
        if kind == "str_length":
            return self._set(self._lengths(**arguments))
        if kind in ("str_matches", "str_contains"):
            return self._add_pattern(kind, arguments["pattern"])
        if kind == "isin":
            values = arguments["allowed_values"]
            values = self._argument(values if isinstance(values, set | frozenset) else list(values))
            self.quality.append(_invalid({"validValues": values}))
            return True
        return False

    def _set(self, options: dict[str, Any]) -> bool:
        """Set options that are free and have values; else none."""
        free = None not in options.values() and not options.keys() & self.options.keys()
        if free:
            self.options.update(options)
        return free

    def _bound(self, value: Any) -> Any:
        """A bound in the form that the options of this type have; None where they have none."""
        if self.logical in TIMES:
            return plain(value) if hasattr(value, "isoformat") else None
        found = plain(value)
        is_number = isinstance(found, int | float) and not isinstance(found, bool)
        return found if self.logical in NUMBERS and is_number else None

    def _lengths(
        self, min_value: int | None = None, max_value: int | None = None, exact_value: int | None = None
    ) -> dict[str, Any]:
        low, high = (exact_value, exact_value) if exact_value is not None else (min_value, max_value)
        lengths = {name: value for name, value in (("minLength", low), ("maxLength", high)) if value is not None}
        return lengths if self.logical is LogicalType.TEXT else dict.fromkeys(lengths)

    def _add_pattern(self, kind: str, pattern: Any) -> bool:
        text = clean(_as_text(pattern))
        searched = _searched(text) if kind == "str_matches" else text
        if searched is None:
            return False
        if self.logical is not LogicalType.TEXT or not self._set({"pattern": searched}):
            self.quality.append(_invalid({"pattern": searched}))
        return True


def _extras(check: Any, kind: str) -> dict[str, Any]:
    """What was said of a check besides its arguments: another name, an error text, that it only warns."""
    extras = {
        "name": check.name if check.name != kind else None,
        "error": check.error if not str(check.error).startswith(f"{kind}(") else None,
        "ignore_na": bool(check.ignore_na),
        "raise_warning": bool(check.raise_warning),
    }
    return {name: plain(value) for name, value in extras.items() if value != EXTRAS[name]}


def _as_text(value: Any) -> Any:
    """A pattern's text; one that was compiled with flags of its own has none."""
    if not isinstance(value, re.Pattern):
        return value
    if value.flags & ~re.UNICODE or not isinstance(value.pattern, str):
        raise NoForm("a pattern with flags")
    return value.pattern


def _invalid(arguments: dict[str, Any]) -> dict[str, Any]:
    return {"type": "library", "metric": "invalidValues", "arguments": arguments, "mustBe": 0}


def _custom(implementation: dict[str, Any]) -> dict[str, Any]:
    return {"type": "custom", "engine": ENGINE, "implementation": implementation}


def _searched(pattern: str) -> str | None:
    """A pattern that is matched at the beginning, as one that is searched anywhere; None where there is none."""
    if is_anchored(pattern):
        return pattern
    wrapped = f"^(?:{pattern})"
    return wrapped if matched(wrapped) == pattern else None


def is_anchored(pattern: str) -> bool:
    """Whether searching a pattern and matching it at the beginning come to the same."""
    return pattern.startswith("^") and "|" not in pattern


def matched(searched: str) -> str | None:
    """The pattern to match at the beginning that means the same as one to search; None where there is none."""
    inner = searched[len("^(?:") : -1] if searched.startswith("^(?:") and searched.endswith(")") else None
    if inner is not None and _compiles(inner) and _compiles(searched):
        return inner
    return searched if is_anchored(searched) else None


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return False
    return True


def option_checks(options: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The checks that options of a logical type mean, as kinds and arguments."""
    for kind, (option, argument) in BOUNDS.items():
        if option in options:
            yield kind, {argument: options[option]}
    lengths = {"min_value": options.get("minLength"), "max_value": options.get("maxLength")}
    if lengths != {"min_value": None, "max_value": None}:
        yield "str_length", lengths
    if "pattern" in options:
        yield pattern_check(options["pattern"])


def pattern_check(searched: str) -> tuple[str, dict[str, Any]]:
    """The check that a pattern of the standard means, which is searched anywhere."""
    inner = matched(searched)
    return ("str_contains", {"pattern": searched}) if inner is None else ("str_matches", {"pattern": inner})
