"""Labels outside the classes, or one class spelt in two ways."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tidegate_contracts.severity import Severity
from tidegate_monitors.finding import Finding
from tidegate_monitors.split import Split, audit, share, worst_above


@audit
def unknown_labels(split: Split) -> Iterator[Finding]:
    """Labels that the contract does not know, else classes that only TEST has; and spellings of one class.

    Above the contract's tolerance unknown labels are critical.
    """
    target = split.target
    if target is None or not target.classes:
        return
    codes = target.codes
    if target.declared:
        allowed = set(target.declared) if codes.numeric else {str(item) for item in target.declared}
        strange = np.append([level not in allowed for level in codes.levels.tolist()], False)
        for word, side, found in (("TRAIN", split.train, codes.train), ("TEST", split.test, codes.test)):
            rows = np.flatnonzero(strange[found])
            if rows.size:
                words = f"column {target.name!r}: {share(rows.size, found.size, word)} have a label outside its classes"
                beyond = rows.size > split.contract.tolerance * found.size
                default = Severity.CRITICAL if beyond else Severity.WARNING
                rule = f"labels are of the {len(target.declared)} declared classes"
                yield split.violation("unknown_labels", rule, default, words, target.name, rows, side=side)
    else:
        rows = np.flatnonzero((codes.test >= 0) & ~np.isin(codes.test, codes.train))
        if rows.size:
            words = f"column {target.name!r}: {share(rows.size, codes.test.size)} have a class that TRAIN never saw"
            rule = "every class of TEST is in TRAIN"
            default = worst_above(rows.size / codes.test.size)
            yield split.violation("unknown_labels", rule, default, words, target.name, rows)
    yield from _spellings(split)


def _spellings(split: Split) -> Iterator[Finding]:
    target = split.target
    if target is None or target.codes.numeric:
        return
    near = target.codes.nearly()
    both = [np.concatenate([codes.train, codes.test]) for codes in (target.codes, near)]
    pairs = np.unique(np.stack(both)[:, both[0] >= 0], axis=1)
    twice = np.flatnonzero(np.bincount(pairs[1]) > 1)
    if twice.size:
        rows = np.flatnonzero(np.isin(near.train, twice))
        words = f"column {target.name!r}: {twice.size} classes are spelt in several ways (case or spaces differ)"
        yield split.violation(
            "unknown_labels", "one spelling a class", Severity.WARNING, words, target.name, rows, side=split.train
        )
