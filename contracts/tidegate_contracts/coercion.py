"""What a schema's own ``coerce`` makes of values of another type: done here, cell by cell, and counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tidegate_contracts.batch import Batch
from tidegate_contracts.contract import Contract
from tidegate_contracts.dialect import fields_of
from tidegate_contracts.pandera_clauses import dialect
from tidegate_contracts.reasons import Broken
from tidegate_contracts.severity import Severity
from tidegate_contracts.types import LogicalType, logical_type


@dataclass(frozen=True, slots=True)
class Conversions:
    """What was coerced.

    Attributes:
        refused: Cells that cannot be of the declared type, by column; they are missing from the coerced table.
        told: For each coerced column how many values got another type; a warning where some are not the same after.
        counts: Those numbers by column.
    """

    refused: Mapping[str, Broken]
    told: tuple[Broken, ...]
    counts: Mapping[str, int]


def coerced(batch: Batch, contract: Contract) -> tuple[Batch, Conversions]:
    """A batch in which columns of another type are coerced where the schema says so.

    What pandera would do in silence (``1.5`` becomes 1, ``'no'`` becomes True) is done and told of.
    """
    refused, told, counts = {}, [], {}
    table, mismatches = batch.table, dict(batch.mismatches)
    for name in batch.mismatches:
        if name in contract.later_columns or not contract.coerces(name):
            continue
        values = table.column(name)
        try:
            new, bad = dialect(contract).coerce(values, _dtype(contract, name))
        except (TypeError, ValueError, OverflowError):
            continue  # it stays a mismatch of the whole column
        column = contract.column(name)
        if column is not None and column.type.arrow is not None and new.type != column.type.arrow:
            try:
                new = new.cast(column.type.arrow)
            except pa.ArrowException:
                continue
        del mismatches[name]
        table = table.set_column(table.column_names.index(name), name, new)
        if bad.size:
            refused[name] = Broken(
                "schema_mismatch", f"values that cannot be coerced to {_dtype(contract, name)}", name, bad
            )
        counts[name] = len(values) - values.null_count - int(bad.size)
        if counts[name]:
            told.append(_told(name, values, new, counts[name]))
    return replace(batch, table=table, mismatches=mismatches), Conversions(refused, tuple(told), counts)


def _dtype(contract: Contract, name: str) -> Any:
    schema = contract.pandera_schema
    field = fields_of(schema).get(name) or contract.pattern_of(name)
    return schema.dtype if schema.dtype is not None else field.dtype


def _told(name: str, old: Any, new: Any, count: int) -> Broken:
    """A finding that says how many values were coerced and how many are not the same after; no row fails by it."""
    lost = _lost(old, new)
    same = "each the same after" if not lost else f"{lost} not the same after"
    families = f"{logical_type(old.type).value} to {logical_type(new.type).value}"
    rule = f"the schema's coerce turned {count} value{'s' * (count != 1)} from {families}, {same}"
    return Broken("schema_mismatch", rule, name, None, Severity.WARNING if lost else Severity.INFO, promised=False)


def _lost(old: Any, new: Any) -> int:
    """How many values cannot be had back: cast to their old type they are another value."""
    before, after = logical_type(old.type), logical_type(new.type)
    if before is LogicalType.TEXT and after in (LogicalType.TIME, LogicalType.DATE):
        return 0  # a time has many forms in text
    try:
        if before is LogicalType.TEXT and after in (LogicalType.INTEGER, LogicalType.NUMBER):
            back, old = new.cast(pa.float64()), _numbers(old)  # and so has a number: 1.50, +3, 1e2
        else:
            back = new.cast(old.type, safe=False)
    except pa.ArrowException:
        return int(len(new) - new.null_count)
    others: int | None = pc.sum(pc.fill_null(pc.not_equal(back, old), fill_value=False)).as_py()
    return others or 0


def _numbers(texts: Any) -> Any:
    """Texts as the numbers that they spell; missing where they spell none."""
    spelt = pc.replace_substring_regex(pc.utf8_trim_whitespace(texts.cast(pa.string())), r"^\+", "")
    is_number = pc.fill_null(pc.match_substring_regex(spelt, r"^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"), fill_value=False)
    return pc.if_else(is_number, spelt, pa.scalar(None, pa.string())).cast(pa.float64())
