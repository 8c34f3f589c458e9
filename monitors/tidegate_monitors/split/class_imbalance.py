"""A class that is missing, or far rarer than was agreed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tidegate_contracts.severity import Severity
from tidegate_monitors.finding import Finding
from tidegate_monitors.interval import wilson
from tidegate_monitors.split import DEVIATE_MINIMUM, Split, audit
from tidegate_monitors.target import Target

_RARE = 0.01
_EXPECTED_MINIMUM = 10.0


@audit
def class_imbalance(split: Split) -> Iterator[Finding]:
    """Classes that are absent from a side, and shares outside what ``classes`` allows.

    A share is outside only if its interval (Wilson, four standard errors) is. Without agreed shares a class below 1 %
    of TRAIN is told, no more.
    """
    target = split.target
    if target is None or not target.classes:
        return
    sides = {"TRAIN": target.codes.train, "TEST": target.codes.test}
    counts = {side: np.bincount(codes[codes >= 0], minlength=target.count) for side, codes in sides.items()}
    bounds: Mapping[Any, tuple[float, float]] = (
        split.contract.classes if isinstance(split.contract.classes, Mapping) else {}
    )
    yield from _absent(split, target, counts)
    for side, found in counts.items():
        rows = int(found.sum())
        for number, (item, (least, most)) in enumerate(bounds.items(), 1):
            low, high = wilson(_count(item, target, found), rows, DEVIATE_MINIMUM)
            if rows and (high < least or low > most):
                part = _count(item, target, found) / rows
                words = (
                    f"class {number} of {len(bounds)} of {target.name!r} has {part:.2%} of {side}'s rows, "
                    f"agreed are {least:.2%} to {most:.2%}"
                )
                rule = f"shares of classes as declared for {target.name}"
                yield split.violation("class_imbalance", rule, Severity.CRITICAL, words, target.name)
    if not bounds:
        yield from _rare(split, target, counts["TRAIN"])


def _absent(split: Split, target: Target, counts: Mapping[str, Any]) -> Iterator[Finding]:
    train, test = counts["TRAIN"], counts["TEST"]
    items = target.declared or tuple(target.codes.levels)
    rows_train, rows_test = int(train.sum()), int(test.sum())
    absent = [number for number, item in enumerate(items, 1) if not _count(item, target, train)]
    if absent or np.count_nonzero(train) < 2:
        words = f"{_which(absent, len(items))} of {target.name!r} in TRAIN's {rows_train} labelled rows"
        rule = f"every class of {target.name} is in TRAIN"
        yield split.violation("class_imbalance", rule, Severity.CRITICAL, words, target.name)
    expected = [_count(item, target, train) / max(rows_train, 1) * rows_test for item in items]
    gone = [
        number
        for number, (item, rows) in enumerate(zip(items, expected, strict=True), 1)
        if rows_test and number not in absent and not _count(item, target, test)
    ]
    if gone:
        most = max(expected[number - 1] for number in gone)
        words = f"{_which(gone, len(items))} of {target.name!r} in TEST's {rows_test} labelled rows"
        rule = f"every class of {target.name} is in TEST"
        default = Severity.CRITICAL if most >= _EXPECTED_MINIMUM else Severity.WARNING
        yield split.violation("class_imbalance", rule, default, words, target.name)


def _rare(split: Split, target: Target, train: Any) -> Iterator[Finding]:
    rows = int(train.sum())
    present = train[train > 0]
    if present.size >= 2 and wilson(int(present.min()), rows, DEVIATE_MINIMUM)[1] < _RARE:
        part = present.min() / rows
        words = f"the rarest class of {target.name!r} has {part:.2%} of TRAIN's rows, and the contract agrees no shares"
        yield split.alarm("class_imbalance", Severity.INFO, words, target.name, score=float(part), threshold=_RARE)


def _which(numbers: list[int], of: int) -> str:
    """Classes by their place, because values are not told."""
    return f"no row of class {', '.join(map(str, numbers))} (of {of})" if numbers else "only one class"


def _count(item: Any, target: Target, counts: Any) -> int:
    """How many rows have a class, which the contract may write as 1 where the data say 1.0."""
    wanted = str(item) if not target.codes.numeric else item
    return int(counts[[level == wanted for level in target.codes.levels]].sum()) if counts.size else 0
