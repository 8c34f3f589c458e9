"""Faults of which one batch is proof enough, in every column that can have them; and tables that must crash nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tests.bench.alarms.history import History, finite
from tests.bench.alarms.judging import Profiled, exceeding, generator, spread_over
from tests.bench.alarms.plan import Plan
from tests.bench.alarms.rates import Rate
from tidegate_contracts.types import LogicalType
from tidegate_monitors.block import Block
from tidegate_monitors.cells import Kind
from tidegate_monitors.compare import compare, detectable_shifts
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Reference
from tidegate_monitors.rules import Evidence, judge

_BLOCKS = 60
Change = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Planted:
    """One fault over the columns and batches of one dataset.

    Attributes:
        dataset: The dataset.
        fault: What was done.
        by_rule: Found by a rule in that batch.
        by_any: Found by a rule, or by a statistic that exceeds.
        twins: Clean batches on which a rule spoke of the same column.
        missed: Columns in which it was not found by a rule.
    """

    dataset: str
    fault: str
    by_rule: Rate
    by_any: Rate
    twins: Rate
    missed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hostile:
    """Tables that have next to nothing in them.

    Attributes:
        dataset: The dataset.
        tables: How many were profiled and held, and how many were made a reference of.
        failures: What was raised, or which score was not finite.
    """

    dataset: str
    tables: int
    failures: tuple[str, ...]


def _with(table: Any, column: str, values: Any) -> Any:
    return table.set_column(table.column_names.index(column), column, values)


def all_missing(table: Any, column: str) -> Any:
    """No value at all."""
    return _with(table, column, pa.nulls(table.num_rows, table.schema.field(column).type))


def one_value(table: Any, column: str) -> Any:
    """All rows as the first one that has a value."""
    present = table.column(column).drop_null()
    return _with(table, column, pa.repeat(present[0], table.num_rows))


def ten_times(table: Any, column: str) -> Any:
    """All values times ten."""
    return _with(table, column, pc.multiply(table.column(column), pa.scalar(10, table.schema.field(column).type)))


def half_missing(table: Any, column: str) -> Any:
    """Every second row without a value."""
    mask = pa.array(np.arange(table.num_rows) % 2 == 0)
    return _with(table, column, pc.if_else(mask, table.column(column).combine_chunks(), None))


def infinite(table: Any, column: str) -> Any:
    """One row in a hundred, and at least one, infinite."""
    values = table.column(column).to_numpy(zero_copy_only=False).astype(float).copy()
    values[:: min(100, len(values))] = np.inf
    return _with(table, column, pa.array(values, from_pandas=True))


def new_word(table: Any, column: str) -> Any:
    """Every tenth row with a category that nobody has seen."""
    mask = pa.array(np.arange(table.num_rows) % 10 == 0)
    return _with(table, column, pc.if_else(mask, "never seen", table.column(column).combine_chunks()))


FAULTS: dict[str, Callable[[Any, str], Any]] = {
    "all values missing": all_missing,
    "half of the values missing": half_missing,
    "one value everywhere": one_value,
    "times ten": ten_times,
    "1 % infinite": infinite,
    "10 % in a new category": new_word,
}


def planted(history: History, plan: Plan) -> Iterator[Planted]:
    """Every fault in every column that can have it, each in a few batches by itself."""
    picked = spread_over(len(history.batches), _BLOCKS)
    made = Profiled.of(history, picked)
    reference = made.reference(picked)
    others = sorted(set(range(len(history.batches))) - set(picked))
    tests = generator("planted", history.name).choice(others, min(plan.fault_tests, len(others)), replace=False)
    clean = {int(i): _found(made, reference, history.batches[i].table) for i in tests}
    for fault, change in FAULTS.items():
        rows = [
            (column, _found(made, reference, change(history.batches[i].table, column)), clean[int(i)])
            for column in history.watched()
            for i in tests
            if _can_have(fault, column, made, history.batches[i].table)
        ]
        if rows:
            yield _counted(history.name, fault, rows)


def _counted(dataset: str, fault: str, rows: list[tuple[str, Any, Any]]) -> Planted:
    ruled = [column in found[0] for column, found, _ in rows]
    seen = [column in found[0] | found[1] for column, found, _ in rows]
    twins = [column in clean[0] for column, _, clean in rows]
    by_rule, by_any, flagged = (Rate(sum(hits), len(hits)) for hits in (ruled, seen, twins))
    missed = sorted({row[0] for row, hit in zip(rows, ruled, strict=True) if not hit})
    return Planted(dataset, fault, by_rule, by_any, flagged, tuple(missed))


def _found(made: Profiled, reference: Reference, table: Any) -> tuple[set[str | None], set[str | None]]:
    """The columns that a rule speaks of, and those that exceed."""
    contract = made.history.contract
    profile = Profile.of(table, made.layout)
    ruled = {alarm.column for alarm in judge(Evidence(profile, reference, contract)) if alarm.kind == "alarm"}
    rng = generator("found", made.history.name)
    return ruled, {item.column for item in exceeding(profile, reference, contract, rng)}


def _can_have(fault: str, column: str, made: Profiled, table: Any) -> bool:
    """Whether the fault changes the column at all, and the reference is not like that by nature."""
    contract, kind = made.history.contract, made.layout.cells[column].kind
    values = table.column(column)
    if len(values) == values.null_count or kind is Kind.NONE:
        return False
    if fault in ("all values missing", "half of the values missing"):
        return _usual_missing(made, column) < 0.2
    if fault == "10 % in a new category":
        return contract.columns[column].type.logical in (LogicalType.TEXT, LogicalType.CATEGORY)
    if kind is not Kind.NUMERIC:
        return fault == "one value everywhere" and kind is Kind.CATEGORY and _commonest(values) < 0.9
    numbers = finite(values)
    if fault == "one value everywhere":
        return _commonest(values) < 0.9
    if fault == "times ten":
        return bool((numbers != 0).mean() > 0.5 and numbers.std() > 0)
    return fault == "1 % infinite" and contract.columns[column].type.logical is LogicalType.NUMBER


def _usual_missing(made: Profiled, column: str) -> float:
    parts = [profile.columns[column] for profile in made.profiles]
    return sum(part.missing for part in parts) / max(sum(part.rows for part in parts), 1)


def _commonest(values: Any) -> float:
    counts = pc.value_counts(values.drop_null()).field("counts")
    return float(pc.max(counts).as_py()) / max(len(values), 1)


def hostile(history: History) -> Hostile:
    """Profile, hold and refer to tables without values, without variety, with one row, with none."""
    picked = spread_over(len(history.batches), 20)
    made = Profiled.of(history, picked)
    good, plain = made.reference(picked), history.batches[-1].table
    failures: list[str] = []
    tables = dict(_tables(plain))
    for name, table in tables.items():
        try:
            profile = Profile.of(table, made.layout)
            _held(profile, good, history, name, failures)
            alike = tuple(Block(f"b{i}", None, profile) for i in range(8))
            bad = Reference(good.dataset, good.contract, made.layout, alike)
            for current in (profile, made.profiles[-1]):
                _held(current, bad, history, f"reference of {name}", failures)
        except Exception as error:  # noqa: BLE001 - any failure is what is looked for
            failures.append(f"{name}: {type(error).__name__}: {error}")
    return Hostile(history.name, len(tables), tuple(dict.fromkeys(failures)))


def _held(profile: Profile, reference: Reference, history: History, name: str, failures: list[str]) -> None:
    contract, rng = history.contract, generator("hostile")
    with np.errstate(all="ignore"):
        found = compare(profile, reference, contract, rng)
        list(judge(Evidence(profile, reference, contract)))
        detectable_shifts(reference, contract, rng)
    failures.extend(
        f"{name}: {item.statistic} of {item.column} is {value}"
        for item in found
        for value in (item.score, item.threshold, item.ratio)
        if value is not None and not np.isfinite(value)
    )


def _tables(plain: Any) -> Iterator[tuple[str, Any]]:
    yield "no rows", plain.slice(0, 0)
    yield "one row", plain.slice(0, 1)
    yield "two rows", plain.slice(0, 2)
    empty = plain
    same = plain
    for name in plain.column_names:
        empty = all_missing(empty, name)
        if len(plain.column(name).drop_null()):
            same = one_value(same, name)
    yield "all values missing", empty
    yield "one value in each column", same
    yield "columns of no type", pa.table({name: pa.nulls(plain.num_rows) for name in plain.column_names})
    yield "no columns but the first", plain.select(plain.column_names[:1])
    floats = [field.name for field in plain.schema if pa.types.is_floating(field.type)]
    for value in (np.inf, np.nan, 1e308):
        table = plain
        for name in floats:
            table = _with(table, name, pa.array(np.full(plain.num_rows, value)))
        yield f"all floats {value}", table
