"""Infinities: what a division by zero or an overflow leaves behind."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tidegate_contracts.clauses import Subject, clause
from tidegate_contracts.extremes import extremes
from tidegate_contracts.reasons import Broken
from tidegate_contracts.severity import Severity


@clause
def non_finite(subject: Subject) -> Iterator[Broken]:
    """Infinite values in a column of numbers; told of, because a contract may mean them.

    NaN is missing here, and ``missing_values`` speaks of it. Of predictions ``invalid_predictions`` does.
    """
    told = {*subject.contract.later_columns, subject.contract.prediction}
    for name in subject.batch.table.column_names:
        values = subject.values(name)
        if values is None or not pa.types.is_floating(values.type) or name in told:
            continue
        bounds = extremes(values)
        if bounds is not None and not np.isfinite(bounds).all():
            rows = np.flatnonzero(pc.fill_null(pc.is_inf(values), fill_value=False).to_numpy())
            yield Broken("non_finite", "finite", name, rows, Severity.WARNING, promised=False)
