"""Whether a table's columns are of the contract's types: from the catalogue, and from their values where need be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tidegate_contracts.contract import Contract
from tidegate_contracts.expectation import Unchecked
from tidegate_contracts.sql_types import survives_always
from tidegate_contracts.types import reconcile
from tidegate_flows.sql.table import SqlColumn, Table

_STORED: Mapping[str, tuple[str, ...]] = {
    "bool": ("integer",),
    "int64": ("integer",),
    "double": ("real", "integer"),
    "string": ("text",),
    "timestamp[us]": ("text",),
}
_DAY = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*"
_NANOSECONDS = datetime(1677, 9, 21, 0, 12, 44, tzinfo=UTC), datetime(2262, 4, 11, 23, 47, 16, tzinfo=UTC)
_MICROSECONDS = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_WHOLE_FLOATS = {pa.float16(): 2**11, pa.float32(): 2**24, pa.float64(): 2**53}


@dataclass(frozen=True, slots=True)
class Fit:
    """How a table goes with a contract's types.

    Attributes:
        table: The table, with what its values say of its types.
        mismatches: Columns of another type, and why.
        loose: Columns whose equal values may be written differently, so that they cannot be compared.
        unchecked: What nobody looked at.
    """

    table: Table
    mismatches: Mapping[str, str]
    loose: frozenset[str]
    unchecked: tuple[Unchecked, ...]


def fit(connection: Connection, table: Table, contract: Contract) -> Fit:
    """Hold a table's columns against the contract's types; one query looks at values, where types alone do not tell."""
    table, loose, mixed = _texts_as_times(connection, table, contract)
    mismatches, unchecked, doubts = dict(mixed), [], []
    for name, column in table.columns.items():
        declared = contract.column(name)
        if declared is None or name in contract.later_columns or name in mismatches:
            continue
        why = _refusal(column, declared.type, contract)
        if why is not None and contract.coerces(name):
            unchecked.append(Unchecked("schema_mismatch", f"coerced from {column.said} to {declared.type}", name))
            mismatches[name] = why
        elif why is not None:
            mismatches[name] = why
        else:
            doubts += [(name, *doubt) for doubt in _doubts(column, declared.type.arrow, table.dialect)]
            unchecked += _blind(column, declared.type.arrow, contract)
    mismatches |= {name: why for name, why in _found(connection, table, doubts) if name not in mismatches}
    return Fit(table, mismatches, loose, tuple(unchecked))


def _refusal(column: SqlColumn, declared: Any, contract: Contract) -> str | None:
    if declared.arrow is None:
        return None
    if column.arrow is None:
        return f"found {column.said}, expected {declared.arrow}"
    empty = pa.chunked_array([], type=column.arrow)
    return reconcile(empty, declared, time_zone=contract.time_zone).mismatch


def _doubts(column: SqlColumn, target: Any, dialect: str) -> Iterator[tuple[Any, str]]:
    """Conditions that no value may fulfil, and what is wrong if one does."""
    found = column.arrow
    value: Any = sa.column(column.name, column.type)
    if dialect == "sqlite" and str(found) in _STORED:
        stored: Any = sa.func.typeof(value).not_in([*_STORED[str(found)], "null"])
        if pa.types.is_boolean(found):
            stored = sa.or_(stored, sa.type_coerce(value, sa.Integer).not_in([0, 1]))
        yield stored, f"some values are not stored as {found}"
    if target is None:
        return
    if pa.types.is_integer(found):
        value = sa.cast(value, sa.BigInteger)
    spoilt = f"some values of type {found} do not survive as {target}"
    if pa.types.is_integer(found) and pa.types.is_integer(target) and target != found:
        low, high = (int(bound) for bound in (np.iinfo(str(target)).min, np.iinfo(str(target)).max))
        yield sa.or_(value < low, value > min(high, 2**63 - 1)), spoilt
    elif pa.types.is_integer(found) and target in _WHOLE_FLOATS:
        most = _WHOLE_FLOATS[target]
        why = f"integers beyond 2**53 do not survive as {target}" if pa.types.is_float64(target) else spoilt
        yield sa.or_(value < -most, value > most), why
    elif pa.types.is_timestamp(found) and dialect == "postgresql":
        first, last = _NANOSECONDS if pa.types.is_timestamp(target) and target.unit == "ns" else _MICROSECONDS
        bounds = (first, last) if found.tz else (first.replace(tzinfo=None), last.replace(tzinfo=None))
        yield sa.or_(value < bounds[0], value > bounds[1]), spoilt


def _blind(column: SqlColumn, target: Any, contract: Contract) -> Iterator[Unchecked]:
    """What could be wrong with values and cannot be asked."""
    if target is None or column.arrow is None:
        return
    number = pa.types.is_floating(target) and not pa.types.is_integer(column.arrow)
    if number and not survives_always(column.arrow, target):
        yield Unchecked("schema_mismatch", f"values of type {column.arrow} survive as {target}", column.name)
    if not pa.types.is_timestamp(target):
        return
    if target.unit in ("s", "ms"):
        yield Unchecked("schema_mismatch", f"values of type {column.arrow} survive as {target}", column.name)
    if target.tz and column.arrow.tz is None and contract.time_zone != "UTC":
        yield Unchecked("schema_mismatch", f"each time is one moment in {contract.time_zone}", column.name)


def _found(connection: Connection, table: Table, doubts: list[tuple[str, Any, str]]) -> Iterator[tuple[str, str]]:
    """The doubts that are true of some value."""
    if not doubts:
        return
    counts = [sa.func.coalesce(sa.func.sum(sa.case((bad, 1), else_=0)), 0) for _, bad, _ in doubts]
    source = sa.table(table.name, schema=table.schema)
    row = connection.execute(sa.select(*counts).select_from(source)).one()
    yield from ((name, why) for (name, _, why), count in zip(doubts, row, strict=True) if count)


def _texts_as_times(
    connection: Connection, table: Table, contract: Contract
) -> tuple[Table, frozenset[str], dict[str, str]]:
    """SQLite keeps times as text: whether they are some, whether they have a zone, whether they are written alike."""
    times = [
        column
        for name, column in table.columns.items()
        if table.dialect == "sqlite" and column.arrow is not None and pa.types.is_timestamp(column.arrow)
        if contract.column(name) is not None
    ]
    columns, loose, mixed = dict(table.columns), set(), {}
    for column in times:
        value = sa.type_coerce(sa.column(column.name), sa.Text)
        zoned = sa.or_(value.op("GLOB")("*Z"), value.op("GLOB")("*[+-][0-9][0-9]:[0-9][0-9]"))
        parts = [
            sa.func.count(value),
            sa.func.sum(sa.case((value.op("GLOB")(_DAY), 1), else_=0)),
            sa.func.sum(sa.case((sa.and_(value.op("GLOB")(_DAY), zoned), 1), else_=0)),
            sa.func.count(sa.distinct(sa.func.length(value))),
            sa.func.count(sa.distinct(sa.case((zoned, sa.func.substr(value, -6))))),
        ]
        query = sa.select(*parts).select_from(sa.table(table.name, schema=table.schema))
        count, days, zones, lengths, suffixes = connection.execute(query).one()
        if count and days != count:
            mixed[column.name] = f"some values are not stored as {column.arrow}"
        elif count and zones not in (0, count):
            mixed[column.name] = "found times with and without a zone"
        elif count and zones == count:
            columns[column.name] = replace(column, arrow=pa.timestamp("us", "UTC"))
        elif not count and (declared := contract.column(column.name)) is not None and declared.type.arrow is not None:
            columns[column.name] = replace(column, arrow=declared.type.arrow)  # no value says anything else
        if lengths > 1 or (zones and suffixes > 1):
            loose.add(column.name)
    return replace(table, columns=columns), frozenset(loose), mixed
