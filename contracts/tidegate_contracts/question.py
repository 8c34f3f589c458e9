"""The question: what pandera is asked of one delivery, in a copy of the user's schema."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

from tidegate_contracts.contract import Contract
from tidegate_contracts.dialect import UNNAMED_LEVEL, fields_of, is_pattern, levels_of
from tidegate_contracts.identity import is_built_in

_ONE_VALUE_AT_A_TIME = frozenset(
    {
        *("equal_to", "not_equal_to", "greater_than", "greater_than_or_equal_to", "less_than", "less_than_or_equal_to"),
        *("in_range", "isin", "notin", "str_matches", "str_contains", "str_startswith", "str_endswith", "str_length"),
    }
)
_ONLY_WARNS = "tidegate_only_warns"


@dataclass(frozen=True, slots=True)
class Question:
    """A schema that pandera can be asked about some delivered columns.

    Levels of the index stand among the columns, because that is how files keep them; patterns stand as the columns
    that they match; columns that cannot be known yet or are of a wrong type are left out; nothing is coerced, dropped
    or only warned of, because that is done here, with its reasons.

    Attributes:
        schema: Our own copy of the user's schema.
        columns: The delivered columns that go with it, levels of the index first.
        levels: The columns that are levels of the index.
        asks_rows: Whether it asks what speaks of each row for itself; not if only what looks at all rows is asked.
    """

    schema: Any
    columns: tuple[str, ...]
    levels: tuple[str, ...]
    asks_rows: bool = True

    @classmethod
    def of(cls, contract: Contract, delivered: Sequence[str], unfit: Collection[str]) -> Question:
        """The question about a delivery.

        Args:
            contract: What was promised.
            delivered: The names of all delivered columns.
            unfit: Those that cannot be asked about.
        """
        user = contract.pandera_schema
        levels = levels_of(user)
        fields: dict[str, Any] = {}
        for name, field in _expanded(user, delivered):
            if len(levels) == 1 and UNNAMED_LEVEL.fullmatch(name) and name in levels and name not in delivered:
                continue  # plain positions, which pandas keeps in no column
            if name not in unfit:
                own = _own(field if name not in levels else _as_column(field, name), user.dtype)
                fields[name] = _joined(fields[name], own) if name in fields else own
        schema = copy(user)
        schema.index, schema.dtype, schema.columns = None, None, fields
        schema.checks = _hardened(user.checks)
        schema.coerce = schema.drop_invalid_rows = False
        filters, schema.strict = user.strict == "filter", user.strict is True
        hidden = [name for name in delivered if UNNAMED_LEVEL.fullmatch(name) and name not in levels]
        rest = [name for name in delivered if name not in levels and name not in hidden]
        rest = [name for name in rest if name in fields] if filters else rest
        known = [name for name in (*(name for name in levels if name in delivered), *rest) if name not in unfit]
        if schema.unique and not set(schema.unique) <= set(known):
            schema.unique = None  # rows are told apart by a column not there yet, or whose absence is told anyway
        return cls(schema, tuple(known), tuple(name for name in levels if name in known))

    @property
    def transforms(self) -> bool:
        """Whether a parser, a default or a missing column that is added may change what is checked."""
        parts = (self.schema, *self.schema.columns.values())
        return bool(self.schema.add_missing_columns) or any(
            getattr(part, "parsers", None) or getattr(part, "default", None) is not None for part in parts
        )

    def of_parsers(self) -> Question:
        """What the schema makes of the rows, whether or not they keep its clauses."""
        schema = copy(self.schema)
        schema.columns = {name: copy(field) for name, field in self.schema.columns.items()}
        for field in schema.columns.values():
            field.checks, field.nullable, field.unique = [], True, False
        schema.checks, schema.unique, schema.strict, schema.ordered = [], None, False, False
        return Question(schema, self.columns, self.levels, asks_rows=False)

    def of_the_whole(self) -> Question | None:
        """What must be asked again when rows are set aside: the checks that look at all rows; None if there are none.

        Every other clause holds of some rows if it holds of more.
        """
        schema = copy(self.schema)
        schema.columns = {name: copy(field) for name, field in self.schema.columns.items()}
        for field in schema.columns.values():
            field.checks = [check for check in field.checks if _looks_at_all(check)]
            field.nullable, field.unique = True, False
        schema.checks = [check for check in self.schema.checks if _looks_at_all(check)]
        schema.unique, schema.strict, schema.ordered = None, False, False
        if not schema.checks and not any(field.checks for field in schema.columns.values()):
            return None
        return Question(schema, self.columns, self.levels, asks_rows=False)


def _expanded(schema: Any, delivered: Sequence[str]) -> Iterable[tuple[str, Any]]:
    """The fields of a schema, with a pattern given as the delivered columns that it matches."""
    for name, field in fields_of(schema).items():
        if not is_pattern(field):
            yield name, field
            continue
        matched = [found for found in delivered if re.match(name, found)]
        for found in matched:
            column = copy(field)
            column.set_name(found)
            column.regex = False
            yield found, column
        if not matched:
            yield name, field


def _own(field: Any, dtype: Any) -> Any:
    """A copy of a field that may be changed."""
    own = copy(field)
    if dtype is not None:
        own.dtype = dtype
    own.checks = _hardened(field.checks)
    own.coerce = own.drop_invalid_rows = False
    return own


def _joined(one: Any, other: Any) -> Any:
    """What two fields ask of the same column: a name and a pattern, or two patterns, may speak of it."""
    both = copy(one)
    both.dtype = one.dtype if one.dtype is not None else other.dtype
    both.checks = [*one.checks, *other.checks]
    both.nullable, both.unique = one.nullable and other.nullable, one.unique or other.unique
    if hasattr(one, "parsers"):
        both.parsers = [*one.parsers, *other.parsers]
    return both


def _as_column(level: Any, name: str) -> Any:
    """A level of an index as a column."""
    from pandera.pandas import Column

    column = Column(
        level.dtype,
        checks=level.checks,
        parsers=level.parsers,
        nullable=level.nullable,
        unique=level.unique,
        report_duplicates=level.report_duplicates,
    )
    column.set_name(name)
    return column


def only_warns(check: Any) -> bool:
    """Whether the user's schema only warns of what a check of ours finds."""
    return bool(getattr(check, _ONLY_WARNS, False))


def _hardened(checks: Any) -> list[Any]:
    """Copies of checks that fail where the user's only warn, and remember it."""
    found = []
    for check in checks if isinstance(checks, list | tuple) else [checks] if checks else []:
        own = copy(check)
        setattr(own, _ONLY_WARNS, check.raise_warning)
        own.raise_warning = False
        found.append(own)
    return found


def _looks_at_all(check: Any) -> bool:
    """Whether a check may answer otherwise for the same row when other rows are gone."""
    if check.groupby is not None:
        return True
    return not (check.element_wise or (is_built_in(check) and check.name in _ONE_VALUE_AT_A_TIME))
