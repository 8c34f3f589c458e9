"""Every reason of every failing row."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

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
    """

    check: str
    rule: str
    column: str | None
    rows: npt.NDArray[np.int64] | None
    default: Severity = Severity.CRITICAL
    promised: bool = True


def reasons_table(broken: Iterable[Broken], keys: Keys) -> Any:
    """The reasons as a ``pyarrow.Table``: row, key, check, rule, column, sorted by row."""
    parts = [
        pa.table(
            [
                pa.array([None] if item.rows is None else item.rows, pa.int64()),
                pa.array([None] if item.rows is None else keys.of(item.rows), pa.string()),
                *(
                    pa.array([text] * (1 if item.rows is None else len(item.rows)), pa.string())
                    for text in (item.check, item.rule, item.column)
                ),
            ],
            schema=SCHEMA,
        )
        for item in broken
    ]
    return pa.concat_tables(parts).sort_by("row") if parts else SCHEMA.empty_table()


class Keys:
    """Names rows by their key columns, as a JSON array; hashed where a key column is personal."""

    def __init__(self, table: Any, key: Sequence[str], *, personal: bool = False) -> None:
        self._columns = [table.column(name) for name in key if name in table.column_names]
        self._personal = personal

    def of(self, rows: npt.NDArray[np.int64]) -> list[str | None]:
        """The keys of some rows, given by position; None each where the contract declares no key."""
        if not self._columns:
            return [None] * len(rows)
        values = [_values(column.take(pa.array(rows))) for column in self._columns]
        return [self._text(key) for key in zip(*values, strict=True)]

    def _text(self, key: tuple[Any, ...]) -> str:
        text = json.dumps(key, default=str, ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() if self._personal else text


def _values(column: Any) -> list[Any]:
    """Values for a key; times as text, because Python cannot hold all that Arrow can."""
    return list((column.cast(pa.string()) if pa.types.is_temporal(column.type) else column).to_pylist())
