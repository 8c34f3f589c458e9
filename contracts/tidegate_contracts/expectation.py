"""A contract's clauses as expectations of Great Expectations."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tidegate_contracts.categories import categories_of
from tidegate_contracts.check_name import check_name
from tidegate_contracts.contract import Contract
from tidegate_contracts.identity import clause, is_built_in, stable_repr
from tidegate_contracts.portable_regex import regex_of
from tidegate_contracts.question import Question, only_warns

SUSPICIONS = ("blank_records", "garbage_values", "personal_data_leak", "poisoning_burst")
"""Checks that no contract states: they look for what nobody thought of, and need the rows in memory."""

CATEGORIES = "one of the declared categories"
"""The rule of a column whose type declares its values."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """One clause as Great Expectations says it.

    Attributes:
        check: The catalogue's name.
        rule: The clause in our words.
        column: The column concerned, or None.
        kind: The expectation's type, such as ``expect_column_values_to_be_unique``.
        arguments: Its arguments; values as the contract states them.
        soft: Whether the user's schema only warns of it.
    """

    check: str
    rule: str
    column: str | None
    kind: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    soft: bool = False


@dataclass(frozen=True, slots=True)
class Unchecked:
    """A clause that cannot be said.

    Attributes:
        check: The catalogue's name.
        rule: The clause in our words.
        column: The column concerned, or None.
        soft: Whether the user's schema only warns of it.
    """

    check: str
    rule: str
    column: str | None = None
    soft: bool = False

    def to_dict(self) -> dict[str, Any]:
        """As it stands in JSON."""
        return {"check": self.check, "rule": self.rule, "column": self.column}


@dataclass(frozen=True, slots=True)
class Compiled:
    """The row clauses of a contract.

    Attributes:
        expectations: Those that can be said.
        unchecked: Those that cannot.
    """

    expectations: tuple[Expectation, ...]
    unchecked: tuple[Unchecked, ...]


def compiled(contract: Contract, delivered: Sequence[str], unfit: Collection[str] = ()) -> Compiled:
    """The clauses that rows of some columns must keep.

    Args:
        contract: What was promised.
        delivered: The columns that are there.
        unfit: Those whose type forbids asking about their values.
    """
    question = Question.of(contract, delivered, contract.later_columns | set(unfit))
    said = [
        *_key(contract, delivered),
        *(
            item
            for name, item in question.schema.columns.items()
            if name in question.columns
            for item in _column(name, item, contract)
        ),
        *_table(question, contract),
        *_beyond(contract),
    ]
    return Compiled(
        tuple(item for item in said if isinstance(item, Expectation)),
        tuple(item for item in said if isinstance(item, Unchecked)),
    )


def _key(contract: Contract, delivered: Sequence[str]) -> Iterator[Expectation]:
    key, unique = contract.key, contract.pandera_schema.unique
    alone = key[0] if len(key) == 1 else None
    if not key or not set(key) <= set(delivered):
        return
    if (alone is not None and contract.is_unique(alone)) or (unique and set(unique) == set(key)):
        return  # the schema says it already
    yield _unique(key_rule(contract), key)


def key_rule(contract: Contract) -> str:
    """That the key names rows, in words."""
    return f"key ({', '.join(contract.key)}) identifies one row"


def _unique(rule: str, names: Sequence[str]) -> Expectation:
    if len(names) == 1:
        kind, arguments = "expect_column_values_to_be_unique", {"column": names[0]}
        return Expectation("duplicate_rows", rule, names[0], kind, arguments)
    return Expectation("duplicate_rows", rule, None, "expect_compound_columns_to_be_unique", {"column_list": [*names]})


def _column(name: str, item: Any, contract: Contract) -> Iterator[Expectation | Unchecked]:
    """What is said of one column's values."""
    if not item.nullable:
        yield Expectation(
            "missing_values", "not nullable", name, "expect_column_values_to_not_be_null", {"column": name}
        )
    categories = categories_of(getattr(item.dtype, "type", None))
    if categories is not None:
        yield _as_expectation(
            ("category_change", CATEGORIES, name),
            ("expect_column_values_to_be_in_set", {"value_set": _values(categories)}),
        )
    if item.unique:
        alike = getattr(item, "report_duplicates", "all") == "all" and categories is None
        yield _unique("unique", [name]) if alike else Unchecked("duplicate_rows", "unique", name)
    if getattr(item, "parsers", None) or getattr(item, "default", None) is not None:
        yield Unchecked("schema_mismatch", "a parser or default of the schema changes values", name)
    for check in item.checks:
        place = (check_name(check, contract, name), clause(check), name)
        soft = only_warns(check)
        yield _as_expectation(place, None if categories is not None else _said(check), soft=soft)


def _as_expectation(
    place: tuple[str, str, str], said: tuple[str, dict[str, Any]] | None, *, soft: bool = False
) -> Expectation | Unchecked:
    if said is None or any(value is None for value in said[1].values()):
        return Unchecked(*place, soft=soft)
    return Expectation(*place, kind=said[0], arguments={"column": place[2], **said[1]}, soft=soft)


def _table(question: Question, contract: Contract) -> Iterator[Expectation | Unchecked]:
    """What is said of rows as a whole."""
    schema = question.schema
    if schema.unique:
        expectation = _unique(f"unique({', '.join(schema.unique)})", [*schema.unique])
        alike = getattr(schema, "report_duplicates", "all") == "all"
        yield expectation if alike else Unchecked("duplicate_rows", expectation.rule)
    if getattr(schema, "parsers", None):
        yield Unchecked("schema_mismatch", "a parser of the schema adds, drops or moves rows")
    for check in schema.checks:
        yield Unchecked(check_name(check, contract), clause(check), soft=only_warns(check))


def _beyond(contract: Contract) -> Iterator[Unchecked]:
    """What the contract says besides its schema, and a database is not asked."""
    if contract.scope is not None:
        yield Unchecked("out_of_scope", "scope")
    for other in contract.references:
        rule = f"references {other.table} ({', '.join(other.key)})"
        yield Unchecked("broken_reference", rule, other.columns[0] if len(other.columns) == 1 else None)
    if contract.suppression is not None:
        yield Unchecked("suppressed_people", "suppression", contract.suppression.column)
    if contract.prediction_time is not None:
        yield Unchecked("look_ahead", "prediction_time", contract.prediction_time)
    for name in contract.population:
        yield Unchecked("unrepresentative_sample", "population", name)
    for check in SUSPICIONS:
        if contract.severity.get(check) == "critical":
            yield Unchecked(check, "severity critical")


def _said(check: Any) -> tuple[str, dict[str, Any]] | None:
    """A built-in pandera check as an expectation's type and arguments; None where it cannot be said."""
    built_in = is_built_in(check)
    translate = _TRANSLATED.get(check.name)
    if not built_in or translate is None or check.groupby is not None or not check.ignore_na:
        return None
    return translate(dict(check.statistics or {}))


def _between(
    statistics: dict[str, Any], *, low: str | None, high: str | None, strict: bool = False
) -> tuple[str, dict[str, Any]]:
    arguments: dict[str, Any] = {}
    for name, key, word in ((low, "min_value", "strict_min"), (high, "max_value", "strict_max")):
        if name is not None:
            arguments[key] = _value(statistics[name])
            open_end = strict or not statistics.get(f"include_{key[:3]}", True)
            arguments |= {word: True} if open_end else {}
    return "expect_column_values_to_be_between", arguments


def _in_set(values: Any, *, negated: bool = False) -> tuple[str, dict[str, Any]]:
    kind = f"expect_column_values_to_{'not_' if negated else ''}be_in_set"
    return kind, {"value_set": None if isinstance(values, str) else _values(values)}


def _matching(pattern: Any, *, how: str) -> tuple[str, dict[str, Any]]:
    text = getattr(pattern, "pattern", pattern)
    flags = getattr(pattern, "flags", 32) != 32  # re.UNICODE alone is no flag at all
    return "expect_column_values_to_match_regex", {
        "regex": None if flags or not isinstance(text, str) else regex_of(how, text)
    }


def _lengths(statistics: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if statistics.get("exact_value") is not None:
        return "expect_column_value_lengths_to_equal", {"value": statistics["exact_value"]}
    given = {name: statistics.get(name) for name in ("min_value", "max_value")}
    return "expect_column_value_lengths_to_be_between", {name: n for name, n in given.items() if n is not None}


_TRANSLATED: Mapping[str, Callable[[dict[str, Any]], tuple[str, dict[str, Any]]]] = {
    "greater_than_or_equal_to": lambda s: _between(s, low="min_value", high=None),
    "greater_than": lambda s: _between(s, low="min_value", high=None, strict=True),
    "less_than_or_equal_to": lambda s: _between(s, low=None, high="max_value"),
    "less_than": lambda s: _between(s, low=None, high="max_value", strict=True),
    "in_range": lambda s: _between(s, low="min_value", high="max_value"),
    "equal_to": lambda s: _in_set([s["value"]]),
    "not_equal_to": lambda s: _in_set([s["value"]], negated=True),
    "isin": lambda s: _in_set(s["allowed_values"]),
    "notin": lambda s: _in_set(s["forbidden_values"], negated=True),
    "str_matches": lambda s: _matching(s["pattern"], how="str_matches"),
    "str_contains": lambda s: _matching(s["pattern"], how="str_contains"),
    "str_startswith": lambda s: _matching(s["string"], how="str_startswith"),
    "str_endswith": lambda s: _matching(s["string"], how="str_endswith"),
    "str_length": _lengths,
}


def _value(value: Any) -> Any:
    """A bound or member that both sides can hold; None where there is none."""
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str | int | date) and value == value else None  # NaT is not itself


def _values(values: Any) -> list[Any] | None:
    items = sorted(values, key=stable_repr) if isinstance(values, set | frozenset) else list(values)
    present = [item for item in items if item is not None and item == item]  # missing ones never fail
    found = [_value(item) for item in present]
    return None if any(item is None for item in found) else found
