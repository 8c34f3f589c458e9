"""How many different values there are, to a few per cent, in 256 characters."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tidegate_monitors.hashing import Hashes

_BITS = 8
_SIZE = 1 << _BITS
_ZERO = "0"
_MANY = 1 << 14
_EACH = 12  # hashes a register that are looked at first where there are many
_REST = np.uint64(_BITS)
_PLACES = np.arange(_SIZE, dtype=np.uint64)
_FIRSTS = _PLACES << np.uint64(64 - _BITS)


@dataclass(frozen=True, slots=True)
class Registers:
    """A HyperLogLog sketch: mergeable, with a standard error of 1.04 / sqrt(256) = 6.5 %.

    Source: P. Flajolet, É. Fusy, O. Gandouet and F. Meunier (2007), "HyperLogLog: the analysis of a near-optimal
    cardinality estimation algorithm", AofA, 127-146; small numbers by linear counting, as there.

    Attributes:
        text: A character a register, ``"0"`` plus its value; empty where nothing was counted.
    """

    text: str = ""

    @classmethod
    def of(cls, hashes: Hashes) -> Registers:
        """The sketch of values by their hashes, shape (n,); repetitions do not matter."""
        if not hashes.size:
            return cls()
        found = _least(_small(hashes)) if hashes.size > _MANY else None
        least, filled = found if found is not None and found[1].all() else _least(hashes)
        ranks = np.where(filled, _ranks(least), 0)
        return cls((ranks + ord(_ZERO)).astype(np.uint8).tobytes().decode("ascii"))

    def __add__(self, other: Registers) -> Registers:
        if not self.text or not other.text:
            return self if self.text else other
        one, two = (np.frombuffer(item.text.encode("ascii"), dtype=np.uint8) for item in (self, other))
        return Registers(np.maximum(one, two).tobytes().decode("ascii"))

    def estimate(self) -> int:
        """The number of different values."""
        if not self.text:
            return 0
        ranks = np.array([ord(sign) - ord(_ZERO) for sign in self.text], dtype=np.float64)
        raw = (0.7213 / (1 + 1.079 / _SIZE)) * _SIZE**2 / float((2.0**-ranks).sum())
        empty = int((ranks == 0).sum())
        return round(_SIZE * math.log(_SIZE / empty) if raw <= 2.5 * _SIZE and empty else raw)


def _small(hashes: Hashes) -> Hashes:
    """Some of the hashes, in which each register has its smallest if it has any."""
    limit = np.uint64((_EACH * _SIZE << 64) // hashes.size)
    return hashes[((hashes << _REST) <= limit).nonzero()]


def _least(hashes: Hashes) -> tuple[Hashes, npt.NDArray[np.bool_]]:
    """In each register the smallest hash without the register's bits, and whether it has any."""
    ordered = np.append(hashes, ~np.uint64(0))  # so that there is one to look at for a last register without any
    ordered[:-1].sort()
    starts = ordered[:-1].searchsorted(_FIRSTS)
    least = ordered[starts]
    filled = (least >> np.uint64(64 - _BITS) == _PLACES) & (starts < hashes.size)
    return least << _REST, filled


def _ranks(words: Hashes) -> npt.NDArray[np.int64]:
    """The place of the first 1 bit of each word, from 1; one more than there are bits where there is none."""
    length = np.frexp(words.astype(np.float64))[1]  # never grows as words get smaller, so that ranks can be merged
    ranks: npt.NDArray[np.int64] = np.minimum(np.maximum(64 - length, 0), 64 - _BITS).astype(np.int64) + 1
    return ranks
