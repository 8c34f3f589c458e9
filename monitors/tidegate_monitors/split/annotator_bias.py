"""Somebody labels otherwise than the others."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np

from tidegate_contracts.severity import Severity
from tidegate_monitors.finding import Finding
from tidegate_monitors.significance import holm, homogeneity
from tidegate_monitors.split import Split, audit, insufficient

DIFFERENCE_MAXIMUM = 0.1
LEVEL = 0.001
_ROWS_MINIMUM = 30


@audit
def annotator_bias(split: Split) -> Iterator[Finding]:
    """Annotators of TRAIN whose shares of classes differ from all others' by .1 (total variation) or more.

    Each is held against the rest by chi-squared, corrected for their number by Holm. A quantity is read as above or
    below its median. Annotators with fewer than 30 labels are not judged.
    """
    target, name = split.target, split.contract.annotator
    if target is None or name is None or not split.has(name):
        return
    known = target.train_known
    labels = target.codes.train[known]
    if not target.classes:
        values = target.values()
        labels = (values > np.median(values)).astype(np.int64)
    classes = int(labels.max()) + 1
    codes = split.codes(name)
    who = codes.train[known]
    levels = len(codes.levels)
    counts = np.bincount(who[who >= 0] * classes + labels[who >= 0], minlength=levels * classes)
    table = counts.reshape(levels, classes).astype(np.float64)
    judged = np.flatnonzero((table.sum(axis=1) >= _ROWS_MINIMUM) & (table.sum() - table.sum(axis=1) >= _ROWS_MINIMUM))
    if not judged.size:
        yield insufficient(f"no two annotators in {name!r} gave {_ROWS_MINIMUM} labels each", name)
        return
    rest = table.sum(axis=0) - table
    shares, others = (part / np.maximum(part.sum(axis=1, keepdims=True), 1) for part in (table, rest))
    differences = np.abs(shares - others).sum(axis=1) / 2
    adjusted = holm(np.array([homogeneity(table[one], rest[one]) for one in judged]))
    for one, p in zip(judged, adjusted, strict=True):
        if p <= LEVEL and differences[one] >= DIFFERENCE_MAXIMUM:
            words = (
                f"an annotator with {table[one].sum():.0f} labels differs from the others in "
                f"{differences[one]:.1%} of them"
            )
            yield split.alarm(
                "annotator_bias",
                Severity.WARNING,
                words,
                name,
                slice=f"{name}={_named(split, name, codes.levels[one])}",
                score=float(differences[one]),
                threshold=DIFFERENCE_MAXIMUM,
            )


def _named(split: Split, column: str, value: object) -> str:
    """The annotator, hashed where people are not to be named."""
    declared = split.contract.columns.get(column)
    text = str(value)
    personal = declared is not None and declared.personal
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12] if personal else text
