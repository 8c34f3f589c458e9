"""The same person, device or thing in TRAIN and in TEST."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from tidegate_monitors.codes import held, row_hashes
from tidegate_monitors.finding import Finding
from tidegate_monitors.split import Split, audit, share, worst_above


@audit
def split_entity_overlap(split: Split) -> Iterator[Finding]:
    """Rows of TEST about an entity that TRAIN knows; critical from 1 % of TEST."""
    entity = split.contract.entity
    if not entity or not all(map(split.has, entity)):
        return
    columns = [(name, split.codes(name)) for name in entity]
    train, test = row_hashes(columns)
    known = np.all([codes.test >= 0 for _, codes in columns], axis=0)
    rows = np.flatnonzero(held(test, train) & known)
    if rows.size:
        both = len(pd.unique(test[rows]))
        yield split.violation(
            "split_entity_overlap",
            f"no entity ({', '.join(entity)}) is on both sides",
            worst_above(rows.size / test.size),
            f"{both} of {len(pd.unique(test[known]))} entities of TEST are in TRAIN: {share(rows.size, test.size)}",
            entity[0] if len(entity) == 1 else None,
            rows,
        )
