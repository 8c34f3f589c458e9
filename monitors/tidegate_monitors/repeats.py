"""How often rows repeat within one table, and whether that is their nature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tidegate_monitors.codes import Codes

_BLOCKS = 4
_IDENTIFYING = 0.5
_WHOLE = 0.5
_BEYOND = 10.0

Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Repeats:
    """Rows of TRAIN that occur more than once.

    Attributes:
        share: The largest share of a quarter of the rows that the rest holds, in [0, 1].
        natural: Whether few values explain it. They do not where most rows are distinct and one column alone nearly
            tells them apart, yet half of the pairs that agree in it agree in everything, ten times as often as
            independent columns would: such rows were copied.
    """

    share: float
    natural: bool

    @classmethod
    def of(cls, train: Hashes, columns: list[Codes]) -> Repeats:
        """From the hashes of TRAIN's rows, shape (rows,), and the columns that they were made of."""
        found = share_elsewhere(train)
        distinct = len(pd.unique(train))
        best = max(columns, key=Codes.distinct)
        if best.distinct() < _IDENTIFYING * distinct or distinct < _IDENTIFYING * train.size or len(columns) < 2:
            return cls(found, natural=True)
        whole = _equal_pairs(np.unique(train, return_counts=True)[1])
        alone = [_equal_pairs(np.bincount(codes.train + 1)) for codes in columns]
        pairs = train.size * (train.size - 1) / 2
        expected = float(np.exp(np.sum(np.log(np.maximum(alone, 1e-9) / max(pairs, 1.0)))) * pairs)
        by_best = _equal_pairs(np.bincount(best.train + 1))
        return cls(found, natural=whole < _WHOLE * by_best or whole <= _BEYOND * expected)


def share_elsewhere(hashes: Hashes) -> float:
    """The largest share of a quarter of some rows that the other three hold, scaled to all rows, in [0, 1]."""
    if not hashes.size:
        return 0.0
    group, distinct = pd.factorize(hashes)
    blocks = np.arange(hashes.size) * _BLOCKS // hashes.size
    here = np.bincount(group * _BLOCKS + blocks, minlength=len(distinct) * _BLOCKS).reshape(-1, _BLOCKS)
    elsewhere = here.sum(axis=1, keepdims=True) > here
    found = float(((here * elsewhere).sum(axis=0) / np.maximum(here.sum(axis=0), 1)).max())
    return min(1.0, found * _BLOCKS / (_BLOCKS - 1))


def _equal_pairs(counts: npt.NDArray[np.int64]) -> float:
    sizes = counts.astype(np.float64)
    return float((sizes * (sizes - 1) / 2).sum())
