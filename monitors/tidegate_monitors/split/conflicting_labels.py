"""Equal features, different labels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from tidegate_contracts.severity import Severity
from tidegate_monitors.codes import row_hashes
from tidegate_monitors.finding import Finding
from tidegate_monitors.split import DEVIATE_MINIMUM, Split, audit, share

ROWS_SHARE = 0.01
_MORE, _LESS = 1.2, 0.5


@audit
def conflicting_labels(split: Split) -> Iterator[Finding]:
    """Labelled rows of TRAIN that have the features of another row and not its label, from 1 % of rows.

    Where outcomes are uncertain, equal features do have different labels. So it is told only if rows disagree with
    their equals more than independent labels would (1.2 times 1 - sum p^2, the index of C. Gini (1912), "Variabilità
    e mutabilità": labels contradict), or so much less (half) that the features do decide the label and the rest is
    error.
    """
    target = split.target
    if target is None or not target.classes or not split.features:
        return
    known = target.train_known
    hashes, _ = row_hashes([(name, split.codes(name)) for name in split.features])
    labels = target.codes.train[known]
    group, _ = pd.factorize(hashes[known])
    size = np.bincount(group)
    cell, _ = pd.factorize(group * target.count + labels)
    same, all_of_group = np.bincount(cell)[cell], size[group]
    repeated = all_of_group > 1
    conflicting = repeated & (same < all_of_group)
    groups = int((size > 1).sum())
    if not groups or conflicting.mean() < ROWS_SHARE:
        return
    found = float(((all_of_group - same) / np.maximum(all_of_group - 1, 1))[repeated].mean())
    chance = float(1 - ((np.bincount(labels) / labels.size) ** 2).sum())
    deviate = abs(found - chance) / max(np.sqrt(chance * (1 - chance) / groups), 1e-12)
    if deviate >= DEVIATE_MINIMUM and not _LESS * chance < found < _MORE * chance:
        rows = known[conflicting]
        words = (
            f"{share(rows.size, known.size, 'TRAIN')} have the features of another row and not its label; "
            f"rows with equals disagree with {found:.0%} of them, independent labels would with {chance:.0%}"
        )
        rule = "equal features have equal labels"
        yield split.violation("conflicting_labels", rule, Severity.WARNING, words, target.name, rows, side=split.train)
