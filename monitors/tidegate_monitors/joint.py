"""How columns hang together: each column halved at the reference's median, and the halves counted together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from operator import add
from typing import Any

import numpy as np
import numpy.typing as npt

LEAF_COLUMNS = 8
COLUMNS_MAXIMUM = 32
_WORDS = 1 << 13

Bits = npt.NDArray[np.bool_]
Square = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Joint:
    """Counts over halves of columns: mergeable by addition.

    Attributes:
        tables: For each pair of the layout's joint columns, in the order of ``itertools.combinations``, the rows in
            which both are high, only the first is, only the second is, neither is; rows with a gap are in none.
        leaves: Rows by which of the first eight columns are high, the first column being the lowest bit; shape (256,)
            or fewer. A gap counts as low.
    """

    tables: tuple[tuple[int, int, int, int], ...] = ()
    leaves: tuple[int, ...] = ()

    @classmethod
    def of(cls, halves: Sequence[tuple[Bits, Bits | None]]) -> Joint:
        """Count from the high and the low rows of each column, each of shape (rows,); None: all others are low."""
        if not halves:
            return cls()
        size, rows = len(halves), halves[0][0].size
        both, first, neither = _pairs(halves)
        tables = tuple(
            (int(both[a, b]), int(first[a, b]), int(first[b, a]), int(neither[a, b]))
            for a, b in combinations(range(size), 2)
        )
        leaf = np.zeros(rows, dtype=np.uint8)
        used = min(size, LEAF_COLUMNS)
        for place in range(used):
            leaf |= halves[place][0].view(np.uint8) << np.uint8(place)
        return cls(tables, tuple(np.bincount(leaf, minlength=1 << used).tolist()))

    @classmethod
    def empty(cls, columns: int) -> Joint:
        """No rows."""
        if not columns:
            return cls()
        return cls(((0, 0, 0, 0),) * (columns * (columns - 1) // 2), (0,) * (1 << min(columns, LEAF_COLUMNS)))

    def __add__(self, other: Joint) -> Joint:
        tables = np.array(self.tables, dtype=np.int64) + np.array(other.tables, dtype=np.int64)
        leaves = tuple(map(add, self.leaves, other.leaves))
        return Joint(tuple((a, b, c, d) for a, b, c, d in tables.reshape(-1, 4).tolist()), leaves)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {"tables": [list(table) for table in self.tables], "leaves": list(self.leaves)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Joint:
        """Read what :meth:`to_dict` wrote."""
        return cls(tuple((a, b, c, d) for a, b, c, d in data["tables"]), tuple(data["leaves"]))


def _words(sets: Sequence[Bits], rows: int) -> npt.NDArray[np.uint64]:
    """Sets of rows as bits, shape (sets, words)."""
    packed = np.zeros((len(sets), -(-rows // 64) * 8), dtype=np.uint8)
    for place, bits in enumerate(sets):
        packed[place, : -(-rows // 8)] = np.packbits(bits)
    return packed.view(np.uint64)


def _pairs(halves: Sequence[tuple[Bits, Bits | None]]) -> tuple[Square, Square, Square]:
    """In how many rows two columns are both high, only the first is, neither is; each of shape (columns, columns)."""
    size, rows = len(halves), halves[0][0].size
    high = _words([bits for bits, _ in halves], rows)
    partial = [place for place, (_, low) in enumerate(halves) if low is not None]
    low = _words([low for _, low in halves if low is not None], rows)
    both = np.zeros((size, size), dtype=np.int64)
    for place in range(size):
        both[place, place:] = both[place:, place] = _meeting(high[place], high[place:])
    highs = both.diagonal()
    lows = rows - highs
    first = highs[:, None] - both
    for place, words in zip(partial, low, strict=True):
        first[:, place] = _meeting(words, high)
        lows[place] = np.bitwise_count(words).sum(dtype=np.int64)
    neither = lows - first  # where the first column has no gap
    neither[partial] = lows[partial, None] - first[:, partial].T  # where the second has none
    for place, words in zip(partial, low, strict=True):
        neither[place, partial] = _meeting(words, low)
    return both, first, neither


def _meeting(one: npt.NDArray[np.uint64], others: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """In how many rows a set of rows meets each of others."""
    found: npt.NDArray[np.int64] = np.zeros(len(others), dtype=np.int64)
    for start in range(0, one.size, _WORDS):
        part = one[start : start + _WORDS] & others[:, start : start + _WORDS]
        found += np.bitwise_count(part).sum(axis=1, dtype=np.int64)
    return found
