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
        few = _smallest(hashes) if hashes.size > _MANY else hashes
        places = (few >> np.uint64(64 - _BITS)).astype(np.intp)
        # the value that a register keeps is that whose hash, without the register's bits, is the smallest
        least = np.full(_SIZE, np.iinfo(np.uint64).max, dtype=np.uint64)
        np.minimum.at(least, places, few << np.uint64(_BITS))
        ranks = np.where(np.bincount(places, minlength=_SIZE) > 0, _ranks(least), 0)
        return cls((ranks + ord(_ZERO)).astype(np.uint8).tobytes().decode("ascii"))

    def __add__(self, other: Registers) -> Registers:
        if not self.text or not other.text:
            return self if self.text else other
        return Registers("".join(max(pair) for pair in zip(self.text, other.text, strict=True)))

    def estimate(self) -> int:
        """The number of different values."""
        if not self.text:
            return 0
        ranks = np.array([ord(sign) - ord(_ZERO) for sign in self.text], dtype=np.float64)
        raw = (0.7213 / (1 + 1.079 / _SIZE)) * _SIZE**2 / float((2.0**-ranks).sum())
        empty = int((ranks == 0).sum())
        return round(_SIZE * math.log(_SIZE / empty) if raw <= 2.5 * _SIZE and empty else raw)


def _smallest(hashes: Hashes) -> Hashes:
    """Those hashes that can matter: the smallest in each register, if every register has some; else all, once each."""
    limit = np.uint64(min((1 << 64) - 1, (32 * _SIZE << 64) // hashes.size))
    few = hashes[(hashes << np.uint64(_BITS)) <= limit]
    registers = np.bincount((few >> np.uint64(64 - _BITS)).astype(np.intp), minlength=_SIZE)
    return few if (registers > 0).all() else np.unique(hashes)


def _ranks(words: Hashes) -> npt.NDArray[np.int64]:
    """The place of the first 1 bit of each word, from 1; one more than there are bits where there is none."""
    length = np.frexp(words.astype(np.float64))[1]  # never grows as words get smaller, so that ranks can be merged
    ranks: npt.NDArray[np.int64] = np.minimum(np.maximum(64 - length, 0), 64 - _BITS).astype(np.int64) + 1
    return ranks
