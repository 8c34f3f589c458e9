"""The identity of a batch's rows, whatever their order and encoding."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from tidegate_monitors.hashing import Hashes, mixed, of_column

_MASK = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A hash of rows as a multiset: mergeable by addition, blind to order, file format and compression.

    Each row's hash is a sum of its values' hashes that knows their columns; two sums of the row hashes
    modulo 2**64 are kept with the number of rows. It tells a resent batch from a new one; it is no defence against
    somebody who constructs collisions.

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
        return cls.of_rows(row_hashes({name: of_column(table.column(name)) for name in table.column_names}, len(table)))

    @classmethod
    def of_rows(cls, hashes: Hashes) -> Fingerprint:
        """The fingerprint of rows whose hashes are known, shape (rows,)."""
        odd = hashes | np.uint64(1)
        odd *= odd
        return cls(hashes.size, int(hashes.sum(dtype=np.uint64)), int(odd.sum(dtype=np.uint64)))

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


def row_hashes(columns: dict[str, Hashes], rows: int) -> Hashes:
    """A hash of each row from those of its values by column, shape (rows,)."""
    total, room = np.zeros(rows, dtype=np.uint64), np.empty(rows, dtype=np.uint64)
    for name, hashes in columns.items():
        total += salted(name, hashes, room)
    return mixed(total)


def salted(name: str, hashes: Hashes, room: Hashes) -> Hashes:
    """Hashes of values as they count in a row, written into ``room``: in another column they would be others.

    Each column has a multiplier and a summand of its own. Source: J. L. Carter and M. N. Wegman (1979), "Universal
    classes of hash functions", Journal of Computer and System Sciences 18(2), 143-154, section 3.
    """
    drawn = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    factor, summand = (int.from_bytes(part, "little") for part in (drawn[:8], drawn[8:]))
    np.multiply(hashes, np.uint64(factor | 1), out=room)
    room += np.uint64(summand)
    return room
