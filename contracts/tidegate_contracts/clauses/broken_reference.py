"""Rows that point at nothing in another table, or at more than one row of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tidegate_contracts.clauses import Subject, clause
from tidegate_contracts.foreign_key import ForeignKey
from tidegate_contracts.reasons import Broken
from tidegate_contracts.severity import Severity


@clause
def broken_reference(subject: Subject) -> Iterator[Broken]:
    """Values of ``references`` that are no key of the other table, and keys there that are not unique.

    A row with a missing value in its key points nowhere and is not asked. A key that stands twice in the other table
    multiplies the rows of whoever joins: critical where rows of this batch have such a key, else a warning.
    """
    for key in subject.contract.references:
        other = subject.circumstances.tables.get(key)
        columns = [subject.values(name) for name in key.columns]
        if other is None or any(column is None for column in columns):
            continue
        alone = key.columns[0] if len(key.columns) == 1 else None
        counts = matches(columns, [other.column(name) for name in key.key])
        rows = np.flatnonzero(counts == 0)
        if rows.size:
            yield Broken("broken_reference", f"{_words(key)} exists", alone, rows)
        twice = other.select(list(key.key)).drop_null().group_by(list(key.key)).aggregate([([], "count_all")])
        many = int(pc.sum(pc.greater(twice.column("count_all"), 1)).as_py() or 0)
        if many:
            hit = int((counts > 1).sum())
            rule = f"{_words(key)} is one row; {many} keys there stand more than once, and {hit} rows here have one"
            yield Broken("broken_reference", rule, alone, None, Severity.CRITICAL if hit else Severity.WARNING)


def matches(columns: list[Any], keys: list[Any]) -> npt.NDArray[np.int64]:
    """For each row, how many rows of the other table have its key; -1 where a part of the key is missing.

    Args:
        columns: The key's columns here, ``pyarrow.ChunkedArray`` each, of equal length.
        keys: The other table's, in the same order; brought to the types here where that loses nothing.
    """
    pairs = [_comparable(column, key) for column, key in zip(columns, keys, strict=True)]
    names = [f"k{index}" for index in range(len(pairs))]
    here = pa.table([left for left, _ in pairs], names=names)
    there = pa.table([right for _, right in pairs], names=names).drop_null()
    counted = there.group_by(names).aggregate([([], "count_all")])
    found = np.zeros(here.num_rows, dtype=np.int64)
    found[_missing(here)] = -1
    numbered = here.append_column("row", pa.array(np.arange(here.num_rows)))
    joined = numbered.join(counted, keys=names, join_type="inner")
    found[joined.column("row").to_numpy()] = joined.column("count_all").to_numpy()
    return found


def _missing(table: Any) -> npt.NDArray[np.int64]:
    gaps = np.zeros(table.num_rows, dtype=bool)
    for column in table.columns:
        gaps |= np.asarray(pc.is_null(column, nan_is_null=True).to_numpy(), dtype=bool)
    return np.flatnonzero(gaps)


def _comparable(column: Any, key: Any) -> tuple[Any, Any]:
    """Two columns as one type: that of the first where the second survives as it, else both as text."""
    column, key = (_plain(item) for item in (column, key))
    if column.type == key.type:
        return column, key
    try:
        return column, key.cast(column.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return column.cast(pa.string()), key.cast(pa.string())


def _plain(values: Any) -> Any:
    return values.cast(values.type.value_type) if pa.types.is_dictionary(values.type) else values


def _words(key: ForeignKey) -> str:
    return f"({', '.join(key.columns)}) in {key.table} ({', '.join(key.key)})"
