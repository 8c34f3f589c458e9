"""The identity of a batch's rows, whatever their order and encoding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

_MASK = (1 << 64) - 1
_MISSING = np.uint64(0xD6E8FEB86659FD93)


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
            column = _hashes(table.column(name))
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


def _hashes(values: Any) -> npt.NDArray[np.uint64]:
    """A hash of each value; what is missing has one of its own, whatever the type."""
    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    gaps = np.asarray(pc.is_null(values, nan_is_null=True).to_numpy(), dtype=bool)
    if pa.types.is_timestamp(kind) or pa.types.is_integer(kind):
        whole = values.cast(kind).cast(pa.uint64() if pa.types.is_uint64(kind) else pa.int64())
        hashed = pd.util.hash_array(np.asarray(pc.fill_null(whole, 0).to_numpy()))
    elif pa.types.is_floating(kind):
        numbers = np.asarray(pc.fill_null(values.cast(pa.float64()), 0.0).to_numpy(), dtype=np.float64)
        hashed = pd.util.hash_array(np.where(gaps, 0.0, numbers) + 0.0)
    elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        codes = [(cell or b"").hex() for cell in values.cast(kind).to_pylist()]
        hashed = pd.util.hash_array(np.array(codes, dtype=object), categorize=False)
    else:
        texts = values.to_pandas().astype("string").fillna("").to_numpy(dtype=object)
        hashed = pd.util.hash_array(texts, categorize=False)
    found: npt.NDArray[np.uint64] = np.where(gaps, _MISSING, hashed)
    return found
