"""Rows that are there twice, in a table that has no key to tell them by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tidegate_contracts.clauses import Subject, clause
from tidegate_contracts.contract import Contract
from tidegate_contracts.reasons import Broken
from tidegate_contracts.severity import Severity

_SAMPLE = 4096
_BY_CHANCE = 10.0


@clause
def duplicate_rows(subject: Subject) -> Iterator[Broken]:
    """Rows that repeat an earlier row in every column, where the contract names neither a key nor a unique column.

    In a narrow table equal rows are natural. So they are told of only where they are ten times as many as chance
    would give: the pairs of rows, times the probability that two rows agree in every column as if columns were
    independent. A contract that knows better states a key.
    """
    table = subject.batch.table
    if _has_key(subject.contract) or table.num_rows < 2 or not table.num_columns:
        return
    agreeing = sorted(((_agreement(column), index) for index, column in enumerate(table.columns)))
    rows = repeats([table.column(index) for _, index in agreeing])
    pairs = table.num_rows * (table.num_rows - 1) / 2
    if rows.size and rows.size >= _BY_CHANCE * pairs * float(np.prod([share for share, _ in agreeing])):
        yield Broken("duplicate_rows", "no row repeats an earlier one", None, rows, Severity.WARNING, promised=False)


def repeats(columns: list[Any]) -> npt.NDArray[np.int64]:
    """Rows that equal an earlier row in every column; NaN equals NaN, and missing equals missing.

    Args:
        columns: ``pyarrow.ChunkedArray`` each; those that differ most come first, for then few rows are left to the
            others.
    """
    rows: npt.NDArray[np.int64] = np.arange(len(columns[0]))
    groups = np.zeros(len(rows), dtype=np.int64)
    for column in columns:
        codes = _codes(column if len(rows) == len(column) else column.take(pa.array(rows)))
        _, groups, sizes = np.unique(groups * (int(codes.max()) + 1) + codes, return_inverse=True, return_counts=True)
        again = sizes[groups] > 1
        rows, groups = rows[again], groups[again]
        if not rows.size:
            return rows
    first = np.unique(groups, return_index=True)[1]
    return np.asarray(np.delete(rows, first), dtype=np.int64)


def _codes(column: Any) -> npt.NDArray[np.int64]:
    """A number for each value, equal where values are."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_nested(column.type):
        column = pa.chunked_array([pa.array([repr(value) for value in column.to_pylist()], pa.string())])
    encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    return np.asarray(encoded.indices.to_numpy(zero_copy_only=False), dtype=np.int64)


def _agreement(column: Any) -> float:
    """The probability that two rows have the same value, from rows spread over the column."""
    codes = _codes(column.take(pa.array(np.arange(0, len(column), max(1, len(column) // _SAMPLE)))))
    counts = np.bincount(codes).astype(float)
    pairs = len(codes) * (len(codes) - 1)
    return float((counts * (counts - 1)).sum() / pairs) if pairs else 0.0


def _has_key(contract: Contract) -> bool:
    return bool(contract.key or contract.pandera_schema.unique or any(map(contract.is_unique, contract.columns)))
