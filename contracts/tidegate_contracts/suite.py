"""What a suite of Great Expectations says, as far as a contract can say it too."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tidegate_contracts.imported_type import Dtype
from tidegate_contracts.portable_regex import check_of, compiles
from tidegate_contracts.sql_types import TYPE_NAMES
from tidegate_contracts.types import LogicalType

Arguments = Mapping[str, Any]
_DTYPES = {
    LogicalType.BOOLEAN: "bool",
    LogicalType.INTEGER: "int64",
    LogicalType.NUMBER: "float64",
    LogicalType.TEXT: "str",
}
_DEFAULTS: Mapping[str, tuple[Any, ...]] = {
    "mostly": (1,),
    "strict_min": (False,),
    "strict_max": (False,),
    "ignore_row_if": ("all_values_are_missing", "never"),
    "batch_id": (),
}


class NotSaidError(Exception):
    """An expectation that a contract cannot say; the text says why."""


@dataclass(slots=True)
class SuiteColumn:
    """What a suite says of one column.

    Attributes:
        dtype: Its data type; None where it is left open.
        nullable: Whether values may be missing.
        unique: Whether no value stands twice.
        categories: The values that its type declares, where it was such a type.
        checks: The names of pandera's constructors of checks, with their arguments.
    """

    dtype: str | None = None
    nullable: bool = True
    unique: bool = False
    categories: tuple[Any, ...] | None = None
    checks: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


@dataclass(slots=True)
class Suite:
    """What a suite says; it grows while the suite is read.

    Attributes:
        columns: Its columns, in the order in which they are named.
        strict: Whether no others may be there.
        ordered: Their order, where it is promised.
        together: Columns that are unique together: the key, then those of the schema.
        alone: Columns of which only the key says that they are unique.
        least: The least number of rows.
        most: The greatest number of rows, or None.
    """

    columns: dict[str, SuiteColumn] = field(default_factory=dict)
    strict: bool = False
    ordered: list[str] | None = None
    together: list[list[str]] = field(default_factory=list)
    alone: set[str] = field(default_factory=set)
    least: int = 0
    most: int | None = None

    def take(self, kind: str, arguments: Any, meta: Arguments) -> None:
        """Take one expectation in.

        Args:
            kind: Its type.
            arguments: Its ``kwargs``.
            meta: What we wrote beside it ourselves, if we did.

        Raises:
            NotSaidError: A contract cannot say it; nothing is taken of it.
        """
        if kind not in _READERS or not isinstance(arguments, Mapping):
            raise NotSaidError("no clause of a contract says this")
        reader, known = _READERS[kind]
        given = {name: value for name, value in arguments.items() if value is not None and name != "batch_id"}
        given = {name: value for name, value in given.items() if value not in _DEFAULTS.get(name, ())}
        if "mostly" in given:
            raise NotSaidError("mostly: a contract has one tolerance for all of its clauses")
        if given.keys() - known:
            raise NotSaidError(f"{', '.join(sorted(map(str, given.keys() - known)))}: a contract cannot say this")
        if "column" in known and not (isinstance(given.get("column"), str) and given["column"]):
            raise NotSaidError("its column is no text")
        reader(self, given, meta)

    def column(self, given: Arguments) -> SuiteColumn:
        """The column that an expectation speaks of."""
        return self.columns.setdefault(given["column"], SuiteColumn())

    def add(self, given: Arguments, meta: Arguments, kind: str, **arguments: Any) -> None:
        """Add a check to the column that an expectation speaks of."""
        only_warns = {"raise_warning": True} if meta.get("soft") is True else {}
        self.column(given).checks.append((kind, {**arguments, **only_warns}))


def _names(value: Any) -> list[str]:
    if not isinstance(value, list) or not value or not all(isinstance(item, str) and item for item in value):
        raise NotSaidError("its columns are no list of texts")
    return list(dict.fromkeys(value))


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _whole(value: Any) -> bool:
    return _number(value) and value == int(value) and value >= 0


def _exists(suite: Suite, given: Arguments, _: Arguments) -> None:
    suite.column(given)


def _not_null(suite: Suite, given: Arguments, _: Arguments) -> None:
    suite.column(given).nullable = False


def _unique(suite: Suite, given: Arguments, meta: Arguments) -> None:
    column = suite.column(given)
    if meta.get("key") is True:
        suite.alone.add(given["column"])
    else:
        column.unique = True


def _together(suite: Suite, given: Arguments, _: Arguments) -> None:
    names = _names(given.get("column_list"))
    if names in suite.together:
        return
    if len(suite.together) == 2:  # the key, and what the schema says
        raise NotSaidError("a contract has two places for columns that are unique together")
    suite.together.append(names)
    for name in names:
        suite.column({"column": name})


def _type(suite: Suite, given: Arguments, meta: Arguments) -> None:
    names = given.get("type_list", [given.get("type_")])
    dtype = meta.get("dtype")
    if not isinstance(dtype, str) or not is_dtype(dtype):
        known = (
            family
            for family, others in TYPE_NAMES.items()
            if isinstance(names, list) and {*others} & {*map(str, names)}
        )
        family = next(known, None)
        dtype = _DTYPES.get(family) if family is not None else None
    if dtype is None:
        raise NotSaidError(f"the type of column {given['column']!r} is left open")
    suite.column(given).dtype = dtype


def is_dtype(text: str) -> bool:
    """Whether a text names a data type."""
    try:
        Dtype(text).logical  # noqa: B018 - asked only whether it has one
    except (TypeError, ValueError, KeyError, SyntaxError):
        return False
    return True


def _set(suite: Suite, given: Arguments, _: Arguments) -> None:
    names = _names(given.get("column_set"))
    suite.strict |= given.get("exact_match", True) is True
    for name in names:
        suite.column({"column": name})


def _ordered(suite: Suite, given: Arguments, _: Arguments) -> None:
    suite.ordered, suite.strict = _names(given.get("column_list")), True
    for name in suite.ordered:
        suite.column({"column": name})


def _rows(suite: Suite, given: Arguments, _: Arguments) -> None:
    least, most = given.get("min_value", given.get("value")), given.get("max_value", given.get("value"))
    bounds = [bound for bound in (least, most) if bound is not None]
    if not bounds or not all(map(_whole, bounds)) or bounds != sorted(bounds):
        raise NotSaidError("its bounds are no numbers of rows")
    suite.least = max(suite.least, int(least or 0))
    if most is not None:
        suite.most = min(int(most), int(most) if suite.most is None else suite.most)


def _between(suite: Suite, given: Arguments, meta: Arguments) -> None:
    low, high = given.get("min_value"), given.get("max_value")
    above, below = "strict_min" in given, "strict_max" in given
    if not all(bound is None or _number(bound) or isinstance(bound, str) for bound in (low, high)):
        raise NotSaidError("its bounds are no numbers or times")
    if low is None and high is None:
        raise NotSaidError("it has no bounds")
    if low is not None and high is not None:
        if type(low) is str is not type(high) or (_number(low) and _number(high) and low > high):
            raise NotSaidError("its bounds do not go together")
        ends = {**({"include_min": False} if above else {}), **({"include_max": False} if below else {})}
        check: tuple[str, dict[str, Any]] = ("in_range", {"min_value": low, "max_value": high, **ends})
    elif low is not None:
        check = ("gt" if above else "ge", {"min_value": low})
    else:
        check = ("lt" if below else "le", {"max_value": high})
    suite.add(given, meta, check[0], **check[1])


def _in_set(suite: Suite, given: Arguments, meta: Arguments) -> None:
    if meta.get("categories") is True:
        suite.column(given).categories = tuple(dict.fromkeys(_members(given)))
        return
    suite.add(given, meta, "isin", allowed_values=_members(given))


def _not_in_set(suite: Suite, given: Arguments, meta: Arguments) -> None:
    suite.add(given, meta, "notin", forbidden_values=_members(given))


def _members(given: Arguments) -> list[Any]:
    values = given.get("value_set")
    if not isinstance(values, list) or not all(
        item is None or isinstance(item, str | bool) or _number(item) for item in values
    ):
        raise NotSaidError("its values are no list of plain values")
    return [item for item in values if item is not None]


def _regex(suite: Suite, given: Arguments, meta: Arguments) -> None:
    regex = given.get("regex")
    if not isinstance(regex, str) or not compiles(regex):
        raise NotSaidError("its pattern is none of Python's")
    how, pattern = check_of(regex)
    suite.add(given, meta, how, pattern=pattern)


def _lengths(suite: Suite, given: Arguments, meta: Arguments) -> None:
    words = {"value": "exact_value", "min_value": "min_value", "max_value": "max_value"}
    found = {words[name]: value for name, value in given.items() if name in words}
    if not found or not all(map(_whole, found.values())):
        raise NotSaidError("its bounds are no whole numbers")
    suite.add(given, meta, "str_length", **{name: int(bound) for name, bound in found.items()})


Reader = Callable[[Suite, Arguments, Arguments], None]
_READERS: Mapping[str, tuple[Reader, frozenset[str]]] = {
    kind: (reader, frozenset(known.split()))
    for kind, reader, known in (
        ("expect_column_to_exist", _exists, "column"),
        ("expect_column_values_to_not_be_null", _not_null, "column"),
        ("expect_column_values_to_be_unique", _unique, "column"),
        ("expect_compound_columns_to_be_unique", _together, "column_list"),
        ("expect_column_values_to_be_of_type", _type, "column type_"),
        ("expect_column_values_to_be_in_type_list", _type, "column type_list"),
        ("expect_table_columns_to_match_set", _set, "column_set exact_match"),
        ("expect_table_columns_to_match_ordered_list", _ordered, "column_list"),
        ("expect_table_row_count_to_be_between", _rows, "min_value max_value"),
        ("expect_table_row_count_to_equal", _rows, "value"),
        ("expect_column_values_to_be_between", _between, "column min_value max_value strict_min strict_max"),
        ("expect_column_values_to_be_in_set", _in_set, "column value_set"),
        ("expect_column_values_to_not_be_in_set", _not_in_set, "column value_set"),
        ("expect_column_values_to_match_regex", _regex, "column regex"),
        ("expect_column_value_lengths_to_be_between", _lengths, "column min_value max_value"),
        ("expect_column_value_lengths_to_equal", _lengths, "column value"),
    )
}
