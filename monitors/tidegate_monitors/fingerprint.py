"""The identity of a batch's rows, whatever their order and encoding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

_MASK = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A hash of rows as a multiset: mergeable by addition, blind to order, file format and compression.

    Each row's values are hashed to 64 bits with their columns' names (pandas' SipHash under a fixed key), and two
    mixed sums of the row hashes modulo 2**64 are kept with the number of rows. It tells a resent batch from a new
    one; it is no defence against somebody who constructs collisions.

    Attributes:
        rows: How many rows.
        first: The sum of row hashes.
        second: The sum of the squared, odd row hashes.
    """

    rows: int = 0
    first: int = 0
    second: int = 0

    @classmethod
    def of(cls, table: Any) -> Fingerprint:
        """The fingerprint of a ``pyarrow.Table``."""
        if not table.num_rows or not table.num_columns:
            return cls(rows=table.num_rows)
        total = np.zeros(table.num_rows, dtype=np.uint64)
        for name in sorted(table.column_names):
            values = table.column(name).to_pandas()
            if not pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_datetime64_any_dtype(
                values.dtype
            ):
                values = values.astype("string")
            column = pd.util.hash_pandas_object(values, index=False).to_numpy(dtype=np.uint64)
            salt = pd.util.hash_array(np.array([name], dtype=object))[0]
            total = (total * np.uint64(0x9E3779B97F4A7C15)) ^ (column + salt)
        odd = total | np.uint64(1)
        return cls(table.num_rows, int(total.sum(dtype=np.uint64)), int((odd * odd).sum(dtype=np.uint64)))

    def __add__(self, other: Fingerprint) -> Fingerprint:
        return Fingerprint(
            self.rows + other.rows, (self.first + other.first) & _MASK, (self.second + other.second) & _MASK
        )

    def __str__(self) -> str:
        return f"{self.rows}-{self.first:016x}{self.second:016x}"

    @classmethod
    def parse(cls, text: str) -> Fingerprint:
        """Read what ``str`` wrote."""
        rows, _, sums = text.partition("-")
        return cls(int(rows), int(sums[:16], 16), int(sums[16:], 16))
