"""How old rows are, as a database can be asked about it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tidegate_contracts.batch import utc
from tidegate_contracts.contract import Contract
from tidegate_contracts.expectation import Expectation, Unchecked
from tidegate_contracts.reasons import Broken
from tidegate_contracts.span import in_words
from tidegate_flows.sql.fit import Fit


def young(seen: Fit, contract: Contract, now: datetime | None) -> Iterator[Expectation]:
    """That no event is older than ``max_age``."""
    name, oldest = contract.event_time, contract.max_age
    if oldest is None or now is None or name is None or not _is_time(seen, name):
        return
    bound = utc(now) - oldest
    if not _zoned(seen, contract, name):
        bound = bound.astimezone(contract.zone).replace(tzinfo=None)
    arguments = {"column": name, "min_value": bound}
    rule = f"event at most {in_words(oldest)} ago"
    yield Expectation("expired_rows", rule, name, "expect_column_values_to_be_between", arguments)


def fresh(
    connection: Connection, seen: Fit, contract: Contract, now: datetime | None
) -> tuple[list[Broken], list[Unchecked]]:
    """That the newest event is not older than ``freshness``: what is broken, and what could not be asked.

    Where only days are known, neither this nor :func:`young` asks, and both are told of here.
    """
    name, oldest = contract.event_time, contract.freshness
    if name is not None and now is not None and _is_day(seen, name):
        return [], list(_of_days(name, contract))
    if oldest is None or now is None or name is None or not _is_time(seen, name):
        return [], []
    if seen.table.dialect == "sqlite":
        return [], [Unchecked("stale_data", f"newest event at most {in_words(oldest)} old", name)]
    view = seen.table.view(contract, seen.mismatches).subquery()
    newest = connection.execute(sa.select(sa.func.max(view.c[name]))).scalar_one()
    if newest is None:
        return [], []
    age = utc(now) - utc(newest if newest.tzinfo else newest.replace(tzinfo=contract.zone))
    if age <= oldest:
        return [], []
    rule = f"newest event at most {in_words(oldest)} old; it is {in_words(age)} old"
    return [Broken("stale_data", rule, name, None)], []


def _of_days(name: str, contract: Contract) -> Iterator[Unchecked]:
    """What is not asked about events of which only the day is known."""
    if contract.freshness is not None:
        yield Unchecked("stale_data", f"newest event at most {in_words(contract.freshness)} old", name)
    if contract.max_age is not None:
        yield Unchecked("expired_rows", f"event at most {in_words(contract.max_age)} ago", name)


def _is_day(seen: Fit, name: str) -> bool:
    column = seen.table.columns.get(name)
    if column is None or name in seen.mismatches:
        return False
    return column.arrow is None or pa.types.is_date(column.arrow)  # SQLite has no type for days


def _is_time(seen: Fit, name: str) -> bool:
    column = seen.table.columns.get(name)
    return column is not None and name not in seen.mismatches and pa.types.is_timestamp(column.arrow)


def _zoned(seen: Fit, contract: Contract, name: str) -> bool:
    declared = contract.column(name)
    kinds: list[Any] = [seen.table.columns[name].arrow, declared.type.arrow if declared is not None else None]
    return any(getattr(kind, "tz", None) for kind in kinds)
