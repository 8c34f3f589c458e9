"""A table as the catalogue knows it, and as a contract's types see it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import UsageError
from tidegate_contracts.sql_types import arrow_type

_PART = re.compile(r'"((?:[^"]|"")+)"|([^".\x00]+)')


@dataclass(frozen=True, slots=True)
class SqlColumn:
    """A column of a table.

    Attributes:
        name: Its name.
        type: SQLAlchemy's type.
        arrow: The Arrow type that it is read as; None for types without a logical type.
    """

    name: str
    type: Any
    arrow: Any

    @property
    def said(self) -> str:
        """Its type in words."""
        return str(self.arrow) if self.arrow is not None else type(self.type).__name__


@dataclass(frozen=True, slots=True)
class Table:
    """A table or view.

    Attributes:
        name: Its name.
        schema: Its schema; None for the default one.
        dialect: ``postgresql`` or ``sqlite``.
        columns: Its columns in their order.
    """

    name: str
    schema: str | None
    dialect: str
    columns: Mapping[str, SqlColumn]

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name

    def view(self, contract: Contract, unfit: Mapping[str, str]) -> Any:
        """A query that gives the columns as the contract's types see them: NaN is missing, texts compare as they are.

        Args:
            contract: What was promised.
            unfit: Columns of another type; they are left as they are.
        """
        source = sa.table(self.name, *(sa.column(c.name, c.type) for c in self.columns.values()), schema=self.schema)
        return sa.select(
            *(
                (source.c[name] if name in unfit else self._seen(source.c[name], column, contract)).label(name)
                for name, column in self.columns.items()
            )
        )

    def _seen(self, value: Any, column: SqlColumn, contract: Contract) -> Any:
        declared, found = contract.column(column.name), column.arrow
        target = declared.type.arrow if declared is not None else None
        if found is None:
            return value
        if pa.types.is_string(found):
            if self.dialect == "sqlite":
                return sa.collate(value, "BINARY")
            plain = column.type.__visit_name__ in ("TEXT", "VARCHAR")  # others compare in ways of their own
            return sa.collate(value if plain else sa.cast(value, sa.Text), "C")
        if self.dialect == "sqlite":
            return value
        if pa.types.is_timestamp(found) and found.tz is None and getattr(target, "tz", None) and contract.time_zone:
            return sa.func.timezone(contract.time_zone, value, type_=sa.DateTime(timezone=True))
        if pa.types.is_integer(found) and (target is None or not pa.types.is_floating(target)):
            return sa.cast(value, sa.BigInteger)  # bounds may be wider than the column
        wide = target is not None and pa.types.is_float64(target)
        if wide or pa.types.is_floating(found) or pa.types.is_decimal(found):
            number = value if not wide and pa.types.is_floating(found) else sa.cast(value, sa.Double)
            return sa.func.nullif(number, sa.cast(sa.literal("NaN"), sa.Double))
        return value


def find(connection: Connection, text: str) -> Table:
    """The table of a name, ``table`` or ``schema.table``, each part in double quotes where it holds a point.

    Raises:
        UsageError: There is none.
    """
    schema, name = _parts(text)
    inspector, dialect = sa.inspect(connection), connection.dialect.name
    if not inspector.has_table(name, schema=schema):
        raise UsageError("no such table", found=repr(text), allowed=", ".join(_known(inspector, schema)) or None)
    columns = {}
    for item in inspector.get_columns(name, schema=schema):
        columns[str(item["name"])] = SqlColumn(str(item["name"]), item["type"], _arrow(item["type"], dialect))
    return Table(name, schema, dialect, columns)


def _known(inspector: Any, schema: str | None) -> list[str]:
    """Some names of tables that there are."""
    if schema is not None and schema not in inspector.get_schema_names():
        return []
    return sorted([*inspector.get_table_names(schema=schema), *inspector.get_view_names(schema=schema)])[:20]


def _parts(text: str) -> tuple[str | None, str]:
    parts, at = [], 0
    while True:
        found = _PART.match(text, at)
        if found is None:
            break
        parts.append(found[1].replace('""', '"') if found[1] is not None else found[2])
        at = found.end()
        if text[at : at + 1] != ".":
            break
        at += 1
    if at != len(text) or len(parts) not in (1, 2):
        raise UsageError("--table", found=repr(text), allowed='TABLE or SCHEMA.TABLE; "A.B" in quotes is one name')
    return (None, parts[0]) if len(parts) == 1 else (parts[0], parts[1])


def _arrow(type_: Any, dialect: str) -> Any:
    if type_.__visit_name__ == "DOMAIN":
        type_ = type_.data_type
    name = "ENUM" if isinstance(type_, sa.Enum) else type_.__visit_name__.upper()
    return arrow_type(
        name,
        dialect,
        zoned=bool(getattr(type_, "timezone", False)),
        precision=getattr(type_, "precision", None) if name in ("NUMERIC", "DECIMAL") else None,
        scale=getattr(type_, "scale", None),
    )
