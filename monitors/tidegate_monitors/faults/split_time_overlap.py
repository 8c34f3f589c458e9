"""A time series is shuffled before it is split."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa


def split_time_overlap(train: Any, test: Any, share: float, rng: np.random.Generator) -> tuple[Any, Any]:
    """TRAIN and TEST with a share of TEST's rows exchanged for rows of TRAIN."""
    count = max(1, round(share * test.num_rows))
    ours = np.sort(rng.choice(train.num_rows, count, replace=False))
    theirs = np.sort(rng.choice(test.num_rows, count, replace=False))
    stay_train, stay_test = (
        table.take(pa.array(np.setdiff1d(np.arange(table.num_rows), rows)))
        for table, rows in ((train, ours), (test, theirs))
    )
    return (
        pa.concat_tables([stay_train, test.take(pa.array(theirs))]).combine_chunks(),
        pa.concat_tables([stay_test, train.take(pa.array(ours))]).combine_chunks(),
    )
