"""How columns hang together: each column halved at the reference's median, and the halves counted together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

LEAF_COLUMNS = 8
COLUMNS_MAXIMUM = 32
_WORDS = 1 << 13

Bits = npt.NDArray[np.bool_]


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
    def of(cls, halves: Sequence[tuple[Bits, Bits]]) -> Joint:
        """Count from the high and the low rows of each column, each of shape (rows,)."""
        if not halves:
            return cls()
        size = len(halves)
        together = _together(np.array([_words(bits) for pair in zip(*halves, strict=True) for bits in pair]))
        tables = tuple(
            (
                int(together[a, b]),
                int(together[a, size + b]),
                int(together[size + a, b]),
                int(together[size + a, size + b]),
            )
            for a, b in combinations(range(size), 2)
        )
        leaf = np.zeros(halves[0][0].size, dtype=np.uint8)
        used = min(size, LEAF_COLUMNS)
        for place in range(used):
            leaf |= halves[place][0].astype(np.uint8) << np.uint8(place)
        return cls(tables, tuple(np.bincount(leaf, minlength=1 << used).tolist()))

    @classmethod
    def empty(cls, columns: int) -> Joint:
        """No rows."""
        if not columns:
            return cls()
        return cls(((0, 0, 0, 0),) * (columns * (columns - 1) // 2), (0,) * (1 << min(columns, LEAF_COLUMNS)))

    def __add__(self, other: Joint) -> Joint:
        tables = np.array(self.tables, dtype=np.int64) + np.array(other.tables, dtype=np.int64)
        leaves = tuple(a + b for a, b in zip(self.leaves, other.leaves, strict=True))
        return Joint(tuple((a, b, c, d) for a, b, c, d in tables.reshape(-1, 4).tolist()), leaves)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {"tables": [list(table) for table in self.tables], "leaves": list(self.leaves)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Joint:
        """Read what :meth:`to_dict` wrote."""
        return cls(tuple((a, b, c, d) for a, b, c, d in data["tables"]), tuple(data["leaves"]))


def _words(bits: Bits) -> npt.NDArray[np.uint64]:
    packed = np.packbits(bits)
    return np.pad(packed, (0, -packed.size % 8)).view(np.uint64)


def _together(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """In how many rows each two sets of rows meet, shape (sets, sets); only the upper triangle is filled."""
    sets, length = words.shape
    found = np.zeros((sets, sets), dtype=np.int64)
    for start in range(0, length, _WORDS):
        part = words[:, start : start + _WORDS]
        for place in range(sets):
            found[place] += np.bitwise_count(part[place] & part).sum(axis=1, dtype=np.int64)
    return found
