"""Every reason of every failing row."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tidegate_contracts.severity import Severity

SCHEMA = pa.schema(
    [
        pa.field("row", pa.int64()),
        pa.field("key", pa.string()),
        pa.field("check", pa.string()),
        pa.field("rule", pa.string()),
        pa.field("column", pa.string()),
    ],
    metadata={"format": "1"},
)


@dataclass(frozen=True, slots=True)
class Broken:
    """One clause and the rows that broke it.

    Attributes:
        check: The catalogue's name.
        rule: The clause with its arguments.
        column: The column concerned, or None.
        rows: 0-based positions as delivered; None where the table as a whole is blamed.
        default: Its severity where the contract says nothing else.
        promised: Whether a failing row is set aside whatever the severity. Where it is not (what only looks wrong),
            rows are set aside only if the contract makes the check critical, and otherwise told of.
        hint: What may have happened, for the message.
        of_all_rows: Whether a clause without rows speaks of all rows together, so that none can be blamed.
    """

    check: str
    rule: str
    column: str | None
    rows: npt.NDArray[np.int64] | None
    default: Severity = Severity.CRITICAL
    promised: bool = True
    of_all_rows: bool = False
    hint: str | None = None


def reasons_table(broken: Sequence[Broken], keys: Keys) -> Any:
    """The reasons as a ``pyarrow.Table``: row, key, check, rule, column, sorted by row; those of no row come last."""
    of_rows = [item for item in broken if item.rows is not None and item.rows.size]
    of_table = [item for item in broken if item.rows is None]
    ordered = [*of_rows, *of_table]
    if not ordered:
        return SCHEMA.empty_table()
    rows = np.concatenate([item.rows for item in of_rows if item.rows is not None] or [np.zeros(0, dtype=np.int64)])
    clauses = np.repeat(np.arange(len(of_rows)), [len(item.rows) for item in of_rows if item.rows is not None])
    order = np.argsort(rows, kind="stable")
    last = np.arange(len(of_rows), len(ordered))
    which = pa.array(np.concatenate([clauses[order], last]).astype(np.int64))
    words = [pa.array([getattr(item, name) for item in ordered], pa.string()) for name in ("check", "rule", "column")]
    nothing = pa.nulls(len(last), pa.int64())
    columns = [
        pa.concat_arrays([pa.array(rows[order], pa.int64()), nothing]),
        pa.concat_arrays([keys.array_of(rows[order]), nothing.cast(pa.string())]),
        *(texts.take(which) for texts in words),
    ]
    return pa.table(columns, schema=SCHEMA)


class Keys:
    """Names rows by their key columns, as a JSON array; hashed where a key column is personal."""

    def __init__(self, table: Any, key: Sequence[str], *, personal: bool = False) -> None:
        self._columns = [table.column(name) for name in key if name in table.column_names]
        self._personal = personal

    def of(self, rows: npt.NDArray[np.int64]) -> list[str | None]:
        """The keys of some rows, given by position; None each where the contract declares no key."""
        return list(self.array_of(rows).to_pylist())

    def array_of(self, rows: npt.NDArray[np.int64]) -> Any:
        """The same as an Arrow array of strings."""
        if not self._columns:
            return pa.nulls(len(rows), pa.string())
        distinct, places = np.unique(rows, return_inverse=True)
        chosen = pa.array(distinct, pa.int64())
        parts = [_json(column.take(chosen)) for column in self._columns]
        texts = pc.binary_join_element_wise("[", pc.binary_join_element_wise(*parts, ", "), "]", "")
        if self._personal:
            digests = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() for text in texts.to_pylist()]
            texts = pa.array(digests, pa.string())
        return texts.take(pa.array(places, pa.int64()))


def _json(values: Any) -> Any:
    """Values as JSON texts, an Arrow array of strings, without a loop over those that need no escape."""
    values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    kind = values.type
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        texts = values.cast(pa.string())
    elif pa.types.is_temporal(kind):
        texts = _quoted(values.cast(pa.string()))
    elif pa.types.is_string(kind):
        odd = pc.fill_null(pc.match_substring_regex(values, _ESCAPED), fill_value=False)
        texts = _quoted(values)
        if pc.any(odd).as_py():
            escaped = [json.dumps(text, ensure_ascii=False) for text in values.filter(odd).to_pylist()]
            texts = pc.replace_with_mask(texts, odd, pa.array(escaped, pa.string()))
    else:
        texts = pa.array(
            [json.dumps(item, default=str, ensure_ascii=False) for item in values.to_pylist()], pa.string()
        )
    return pc.fill_null(texts, "null")


_ESCAPED = r'["\\\x00-\x1f]'


def _quoted(texts: Any) -> Any:
    return pc.binary_join_element_wise('"', texts, '"', "")
