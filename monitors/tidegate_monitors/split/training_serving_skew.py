"""One key, two values: what the model learnt is not what it is served."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from tidegate_monitors.codes import Codes, held, row_hashes
from tidegate_monitors.finding import Finding
from tidegate_monitors.split import Split, audit, worst_above

_TOLERANCE = 1e-6


@audit
def training_serving_skew(split: Split) -> Iterator[Finding]:
    """Rows with the same key on both sides whose features differ; critical from 1 % of the shared keys.

    Numbers may differ by one millionth (single precision). Of keys that appear several times, the first row counts.
    """
    key = split.contract.key
    if not key or not all(map(split.has, key)):
        return
    columns = [(name, split.codes(name)) for name in key]
    hashes = row_hashes(columns)
    theirs = np.flatnonzero(held(hashes[1], hashes[0]) & ~pd.Series(hashes[1]).duplicated().to_numpy())
    train = np.flatnonzero(~pd.Series(hashes[0]).duplicated().to_numpy())
    ours = train[pd.Index(hashes[0][train]).get_indexer(pd.Index(hashes[1][theirs]))]
    complete = np.all([codes.test[theirs] >= 0 for _, codes in columns], axis=0)
    ours, theirs = ours[complete], theirs[complete]
    if not ours.size:
        return
    for name in split.features:
        rows = theirs[_differs(split.codes(name), ours, theirs)]
        if rows.size:
            part = rows.size / theirs.size
            words = f"column {name!r}: {rows.size} of {theirs.size} keys on both sides ({part:.2%}) have two values"
            rule = "a key has one value of each feature"
            yield split.violation("training_serving_skew", rule, worst_above(part), words, name, np.sort(rows))


def _differs(codes: Codes, ours: npt.NDArray[np.int64], theirs: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    left, right = codes.train[ours], codes.test[theirs]
    different = left != right
    if codes.levels.dtype.kind == "f":
        train, test = codes.numbers()
        near = np.isclose(train[ours], test[theirs], rtol=_TOLERANCE, atol=0.0)
        different &= ~near
    found: npt.NDArray[np.bool_] = different
    return found
