"""Stand-ins for missing values, and text in the wrong encoding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def garbage_values(table: Any, column: str, value: object, rows: int, rng: np.random.Generator) -> Any:
    """Some values replaced by a stand-in such as -999, 'NULL' or 1970-01-01, as an export without nulls does."""
    chosen = np.zeros(table.num_rows, dtype=bool)
    chosen[rng.choice(table.num_rows, rows, replace=False)] = True
    values = table.column(column)
    filled = pc.if_else(pa.array(chosen), pa.scalar(value, values.type), values)
    return table.set_column(table.column_names.index(column), column, filled)


def mojibake(table: Any, column: str) -> Any:
    """A column of text that was written as UTF-8 and read as Windows-1252."""
    texts = [None if text is None else text.encode().decode("cp1252", "replace") for text in table[column].to_pylist()]
    return table.set_column(table.column_names.index(column), column, pa.array(texts, pa.string()))
