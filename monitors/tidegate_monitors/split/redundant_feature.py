"""A feature that says what another one says."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from tidegate_contracts.severity import Severity
from tidegate_monitors.codes import Codes
from tidegate_monitors.finding import Finding
from tidegate_monitors.ranks import correlation
from tidegate_monitors.split import Split, audit

CORRELATION_MAXIMUM = 0.98
_ROWS_MINIMUM = 30
_SOME = 20_000
_ROUGHLY = 0.8


@audit
def redundant_feature(split: Split) -> Iterator[Finding]:
    """Features of TRAIN whose ranks correlate with an earlier one's from .98, or whose texts match one to one.

    Correlations are Spearman's over the rows that have both, and only of columns that are missing in the same tenth
    of rows or less apart.
    """
    told: set[str] = set()
    for name, other, score in _pairs(split):
        if name not in told:
            told.add(name)
            words = f"column {name!r} repeats {other!r}: correlation {score:.3f} on TRAIN"
            yield split.alarm(
                "redundant_feature", Severity.WARNING, words, name, score=score, threshold=CORRELATION_MAXIMUM
            )


def _pairs(split: Split) -> Iterator[tuple[str, str, float]]:
    codes = {name: split.codes(name) for name in split.features}
    numbers = [name for name, column in codes.items() if column.numeric]
    ranks = {name: _centred(codes[name]) for name in numbers}
    for place, name in enumerate(numbers):
        for other in numbers[:place]:
            rough = abs(float((ranks[name] * ranks[other]).sum()))
            if rough >= _ROUGHLY:  # cheap first: on some rows, missing values counted as the mean rank
                score = _exact(codes[name], codes[other])
                if score >= CORRELATION_MAXIMUM:
                    yield name, other, score
    texts = [name for name, column in codes.items() if not column.numeric]
    for place, name in enumerate(texts):
        for other in texts[:place]:
            if _one_to_one(codes[name], codes[other]):
                yield name, other, 1.0


def _centred(codes: Codes) -> npt.NDArray[np.float64]:
    """Ranks of some rows, of length 1 around 0, missing ones 0, so that a product is about their correlation."""
    some = codes.train[:: max(1, codes.train.size // _SOME)]
    present = some >= 0
    found = np.zeros(some.size)
    ranks = codes.ranks(some[present])
    found[present] = ranks - ranks.mean() if ranks.size else ranks
    length = float(np.sqrt((found * found).sum()))
    return found / length if length > 0 else found


def _exact(left: Codes, right: Codes) -> float:
    both = (left.train >= 0) & (right.train >= 0)
    either = (left.train >= 0) | (right.train >= 0)
    if both.sum() < max(_ROWS_MINIMUM, 0.9 * either.sum()):
        return 0.0
    ranks = (codes.ranks(codes.train[both]) for codes in (left, right))
    return abs(correlation(*ranks))


def _one_to_one(left: Codes, right: Codes) -> bool:
    """Whether each text of one stands beside one text of the other, in columns that repeat their texts."""
    rows, ours, theirs = left.train.size, left.distinct(), right.distinct()
    if ours != theirs or not 2 <= ours <= rows / 2 or rows < _ROWS_MINIMUM:
        return False
    pairs = (left.train + 1) * (len(right.levels) + 1) + right.train + 1
    return len(pd.unique(pairs)) == ours
