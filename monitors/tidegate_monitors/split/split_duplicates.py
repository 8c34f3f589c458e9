"""The same rows in TRAIN and in TEST."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import pdtrc

from tidegate_contracts.severity import Severity
from tidegate_monitors.codes import Codes, held, row_hashes
from tidegate_monitors.finding import Finding
from tidegate_monitors.repeats import Repeats, share_elsewhere
from tidegate_monitors.split import P_MAXIMUM, Split, audit, insufficient, share, worst_above

_FLOOR = 0.001
_FLOOR_NEAR = 0.01
_RELATIVE = 0.5
_BLIND = 0.5

Hashes = npt.NDArray[np.uint64]


@audit
def split_duplicates(split: Split) -> Iterator[Finding]:
    """Rows of TEST that TRAIN holds already: by key, by all features, or by features that are nearly equal.

    Few columns with few values collide without anybody's fault. So the share of TEST rows whose features TRAIN holds
    is compared with two that chance gives: with independent columns, and in each quarter of TRAIN against the rest of
    it. Only what exceeds both by half is told: exact copies from .1 % of TEST, nearly equal rows from 1 %.
    """
    yield from _same_keys(split)
    columns = [(name, split.codes(name)) for name in split.features]
    if not columns or not split.train.rows:
        return
    train, test = row_hashes(columns)
    repeats = Repeats.of(train, [codes for _, codes in columns])
    natural = repeats.share if repeats.natural else 0.0
    exact = _Copies.of((train, test), columns, natural)
    if exact.chance > _BLIND:
        yield insufficient(
            f"the features have so few distinct values that chance alone repeats {exact.chance:.0%} of rows: "
            "copies cannot be told from coincidence"
        )
        return
    if exact.stands_out(_FLOOR):
        yield split.violation(
            "split_duplicates",
            "no row of TEST has the features of a row of TRAIN",
            worst_above(exact.excess),
            f"{share(exact.rows.size, test.size)} have exactly the features of a row of TRAIN; "
            f"chance gives {exact.chance:.2%}",
            rows=exact.rows,
        )
    yield from _near(split, columns, exact, np.flatnonzero(~pd.Series(train).duplicated().to_numpy()))


def _near(
    split: Split, columns: list[tuple[str, Codes]], exact: _Copies, once: npt.NDArray[np.int64]
) -> Iterator[Finding]:
    """Beyond exact copies; chance is what TRAIN's rows show once exact repetitions among them are left out."""
    coarse = [(name, codes.nearly()) for name, codes in columns]
    hashes = row_hashes(coarse)
    near = _Copies.of(hashes, coarse, share_elsewhere(hashes[0][once]))
    only = np.setdiff1d(near.rows, exact.rows)
    added = near.excess - max(exact.excess, 0.0)
    if near.stands_out(_FLOOR_NEAR) and min(added, only.size / near.total) >= _FLOOR_NEAR and near.chance <= _BLIND:
        yield split.violation(
            "split_duplicates",
            "no row of TEST is nearly a row of TRAIN (three significant digits; case and spaces aside)",
            Severity.CRITICAL,
            f"{share(only.size, split.test.rows)} are nearly a row of TRAIN; chance gives {near.chance:.2%}",
            rows=only,
        )


def _same_keys(split: Split) -> Iterator[Finding]:
    key = split.contract.key
    if not key or not all(map(split.has, key)):
        return
    columns = [(name, split.codes(name)) for name in key]
    train, test = row_hashes(columns)
    complete = np.all([codes.test >= 0 for _, codes in columns], axis=0)
    rows = np.flatnonzero(held(test, train) & complete)
    if rows.size:
        yield split.violation(
            "split_duplicates",
            f"no key ({', '.join(key)}) is on both sides",
            worst_above(rows.size / test.size),
            f"{share(rows.size, test.size)} have the key of a row of TRAIN",
            key[0] if len(key) == 1 else None,
            rows,
        )


class _Copies:
    """TEST rows whose hash TRAIN holds, and the share that chance gives."""

    def __init__(self, rows: npt.NDArray[np.int64], total: int, of_train: int, chance: float) -> None:
        self.rows, self.total, self.of_train, self.chance = rows, total, of_train, chance

    @classmethod
    def of(cls, hashes: tuple[Hashes, Hashes], columns: list[tuple[str, Codes]], natural: float) -> _Copies:
        blank = np.all([codes.test < 0 for _, codes in columns], axis=0)
        rows = np.flatnonzero(held(hashes[1], hashes[0]) & ~blank)
        return cls(
            rows, hashes[1].size, hashes[0].size, max(_by_independence([codes for _, codes in columns]), natural)
        )

    @property
    def excess(self) -> float:
        """The share of TEST rows beyond chance."""
        return self.rows.size / max(self.total, 1) - self.chance

    def stands_out(self, floor: float) -> bool:
        """Whether the excess matters, and is no chance even if chance were one row in as many as TRAIN has.

        The number of rows that chance gives is taken to be Poisson: S. D. Poisson (1837), "Recherches sur la
        probabilité des jugements", section 81.
        """
        if not self.rows.size or self.excess < max(floor, _RELATIVE * self.chance):
            return False
        expected = max(self.chance, 1 / self.of_train) * self.total
        return bool(pdtrc(self.rows.size - 1, expected) <= P_MAXIMUM)


def _by_independence(columns: list[Codes]) -> float:
    """The largest share of TEST rows that TRAIN would hold if columns were independent: the mean of min(1, N prod p).

    The number of equal rows is then about Poisson with mean N prod p, and one or more have at most that probability.
    """
    rows = columns[0].train.size
    logs = np.full(columns[0].test.size, np.log(rows))
    for codes in columns:
        counts = np.bincount(codes.train + 1, minlength=len(codes.levels) + 1)
        logs += np.log(np.maximum(counts, 1e-9) / rows)[codes.test + 1]
    return float(np.exp(np.minimum(logs, 0.0)).mean()) if logs.size else 0.0
