"""Which rows a batch has, in a sample that two batches can be compared by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tidegate_monitors.hashing import Hashes

SIZE = 256
_DIGITS = 16


@dataclass(frozen=True, slots=True)
class RowSketch:
    """The smallest different hashes of a batch's keys (of whole rows where there is no key): mergeable.

    Source: K. Beyer, P. J. Haas, B. Reinwald, Y. Sismanis and R. Gemulla (2007), "On synopses for distinct-value
    estimation under multiset operations", SIGMOD, 199-210.

    Attributes:
        least: Ascending; at most 256.
    """

    least: tuple[int, ...] = ()

    @classmethod
    def of(cls, hashes: Hashes) -> RowSketch:
        """The sketch of rows by their hashes, shape (rows,)."""
        few = hashes
        if hashes.size > 16 * SIZE:
            few = hashes[hashes <= np.uint64((8 * SIZE << 64) // hashes.size)]
        found = np.unique(few)
        if found.size < SIZE and few.size < hashes.size:
            found = np.unique(hashes)
        return cls(tuple(found[:SIZE].tolist()))

    def __add__(self, other: RowSketch) -> RowSketch:
        return RowSketch(tuple(sorted({*self.least, *other.least})[:SIZE]))

    def share_in(self, other: RowSketch) -> tuple[float, int]:
        """The share of these rows that are among the other's, in [0, 1], and of how many sampled rows it is the share.

        The standard error is at most sqrt(share (1 - share) / sampled).
        """
        limit = min(item.least[-1] if len(item.least) == SIZE else 1 << 64 for item in (self, other))
        mine = [item for item in self.least if item <= limit]
        return (len(set(mine) & set(other.least)) / len(mine) if mine else 0.0), len(mine)

    def __str__(self) -> str:
        return "".join(f"{item:0{_DIGITS}x}" for item in self.least)

    @classmethod
    def parse(cls, text: str) -> RowSketch:
        """Read what ``str`` wrote."""
        return cls(tuple(int(text[place : place + _DIGITS], 16) for place in range(0, len(text), _DIGITS)))
