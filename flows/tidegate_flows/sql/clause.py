"""One clause of a contract as this database can be asked about it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from tidegate_contracts.contract import Contract
from tidegate_contracts.expectation import Expectation
from tidegate_contracts.portable_regex import check_of, portable
from tidegate_contracts.severity import Severity
from tidegate_contracts.types import LogicalType, logical_type
from tidegate_flows.sql.fit import Fit

_EXACT = 2**53
_NUMBERS = (LogicalType.INTEGER, LogicalType.NUMBER)


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause that the database can be asked about.

    Attributes:
        expectation: What is asked.
        arguments: What Great Expectations is asked with, in this database's dialect.
        severity: How bad it is where rows break it beyond the tolerance.
    """

    expectation: Expectation
    arguments: Mapping[str, Any]
    severity: Severity

    @property
    def sets_aside(self) -> bool:
        """Whether a failing row is set aside."""
        return not self.expectation.soft or self.severity is Severity.CRITICAL

    @property
    def together(self) -> tuple[str, ...]:
        """The columns whose values no two rows may share; empty for clauses of another kind."""
        if not self.expectation.kind.endswith("to_be_unique"):
            return ()
        return tuple(self.arguments.get("column_list", (self.arguments.get("column"),)))

    def broken(self, columns: Any, copies: Any) -> Any:
        """The condition of a row that breaks it.

        Args:
            columns: The view's columns by name.
            copies: How many rows share its values, for a clause about rows that stand twice.
        """
        if copies is not None:
            return copies > 1
        value, kind, given = columns[self.arguments["column"]], self.expectation.kind, self.arguments
        if kind == "expect_column_values_to_not_be_null":
            return value.is_(None)
        return sa.and_(value.is_not(None), _CONDITIONS[kind](value, given))

    def counted(self, columns: Any, copies: Any) -> Any:
        """The condition of a row that Great Expectations counts: missing values are never equal to it."""
        present = [columns[name].is_not(None) for name in self.together]
        return sa.and_(self.broken(columns, copies), *present)


def _outside(value: Any, given: Mapping[str, Any]) -> Any:
    conditions = []
    if "min_value" in given:
        conditions.append(value <= given["min_value"] if given.get("strict_min") else value < given["min_value"])
    if "max_value" in given:
        conditions.append(value >= given["max_value"] if given.get("strict_max") else value > given["max_value"])
    return sa.or_(*conditions)


_CONDITIONS: Mapping[str, Any] = {
    "expect_column_values_to_be_between": _outside,
    "expect_column_values_to_be_in_set": lambda value, given: value.not_in(given["value_set"]),
    "expect_column_values_to_not_be_in_set": lambda value, given: value.in_(given["value_set"]),
    "expect_column_values_to_match_regex": lambda value, given: sa.not_(value.regexp_match(given["regex"])),
    "expect_column_value_lengths_to_be_between": lambda value, given: _outside(sa.func.length(value), given),
    "expect_column_value_lengths_to_equal": lambda value, given: sa.func.length(value) != given["value"],
}


def clause_of(item: Expectation, fit: Fit, contract: Contract) -> Clause | None:
    """An expectation as a clause; None where this database would answer another question."""
    arguments = _arguments(item, fit, contract)
    if arguments is None:
        return None
    default = Severity.WARNING if item.soft else Severity.CRITICAL
    return Clause(item, arguments, contract.severity_of(item.check, default, item.column))


def _arguments(item: Expectation, fit: Fit, contract: Contract) -> dict[str, Any] | None:
    given, columns = dict(item.arguments), fit.table.columns
    if item.kind == "expect_column_values_to_not_be_null":
        return given
    names = given.get("column_list", [given.get("column")])
    if any(columns[name].arrow is None or name in fit.loose for name in names):
        return None
    if any(name in fit.mismatches and contract.coerces(name) for name in names):
        return None  # what coercion would make of its values is not known here
    if item.kind.endswith("to_be_unique"):
        # Great Expectations writes the one name, in quotes, into a condition that it then parses
        return given if len(names) > 1 or '"' not in names[0] else None
    declared = contract.column(names[0])
    arrow = declared.type.arrow if declared is not None and declared.type.arrow is not None else columns[names[0]].arrow
    family = logical_type(arrow)
    if pa.types.is_floating(arrow) and not pa.types.is_float64(arrow):
        return None  # 32 bits compare otherwise in memory
    if item.kind == "expect_column_values_to_be_between":
        return _bounds(given, family, arrow, fit.table.dialect)
    if item.kind.endswith("_in_set"):
        given["value_set"] = _members(given["value_set"], family)
        return given if given["value_set"] else None
    if family is not LogicalType.TEXT:
        return None
    if item.kind == "expect_column_values_to_match_regex":
        how, pattern = check_of(given["regex"])
        regex = portable(pattern, anchored=how == "str_matches")
        return None if regex is None or "\0" in regex else given | {"regex": regex}
    return given if all(0 <= value < 2**31 for name, value in given.items() if name != "column") else None


def _bounds(given: dict[str, Any], family: LogicalType, arrow: Any, dialect: str) -> dict[str, Any] | None:
    for name in ("min_value", "max_value"):
        if name not in given:
            continue
        bound = given[name]
        if family in _NUMBERS:
            fine = isinstance(bound, float) or (
                isinstance(bound, int) and not isinstance(bound, bool) and abs(bound) <= _EXACT
            )
        elif family is LogicalType.TIME and dialect == "postgresql" and isinstance(bound, datetime):
            fine = (bound.tzinfo is not None) == (arrow.tz is not None) and not getattr(bound, "nanosecond", 0)
            given[name] = bound.to_pydatetime() if hasattr(bound, "to_pydatetime") else bound
        else:
            day = isinstance(bound, date) and not isinstance(bound, datetime)
            fine = family is LogicalType.DATE and dialect == "postgresql" and day
        if not fine:
            return None
    return given


def _members(values: list[Any], family: LogicalType) -> list[Any]:
    """The allowed values that a column of a family can hold; the others are equal to nothing in it."""
    if family is LogicalType.TEXT:
        return [value for value in values if isinstance(value, str) and "\0" not in value]
    numbers = [value for value in values if isinstance(value, int | float)]
    if family is LogicalType.BOOLEAN:
        return [bool(value) for value in numbers if value in (0, 1)]
    if family is LogicalType.INTEGER:
        whole = [int(value) for value in numbers if math.isfinite(value) and value == int(value)]
        return whole if all(abs(value) < 2**31 for value in whole) else []
    if family is LogicalType.NUMBER:
        return [float(value) for value in numbers if abs(value) <= _EXACT or isinstance(value, float)]
    return []
