"""Records in which there is nothing."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tidegate_contracts.clauses import Subject, clause
from tidegate_contracts.reasons import Broken
from tidegate_contracts.severity import Severity
from tidegate_contracts.types import LogicalType, logical_type

_ROWS_MINIMUM = 3
_SHARE_MINIMUM = 0.01
_SELDOM = 0.1
_FEATURES_MINIMUM = 2


@clause
def blank_records(subject: Subject) -> Iterator[Broken]:
    """Rows in which every feature is missing, zero or empty: at least three, and 1 % of the batch.

    Zero is an honest number, so two features at least must be blank in less than a tenth of the other rows: columns
    that are nearly always zero make no blank record. Such rows are told of.
    """
    contract, batch = subject.contract, subject.batch
    features = [values for name in contract.feature_columns if (values := subject.values(name)) is not None]
    if len(features) < _FEATURES_MINIMUM or not batch.rows:
        return
    blank = np.arange(batch.rows)
    for values in features:
        blank = blank[is_blank(values if len(blank) == batch.rows else values.take(pa.array(blank)))]
        if len(blank) < max(_ROWS_MINIMUM, _SHARE_MINIMUM * batch.rows):
            return
    others = np.setdiff1d(np.arange(batch.rows), blank, assume_unique=True)
    seldom = [len(others) == 0 or is_blank(values)[others].mean() < _SELDOM for values in features]
    if sum(seldom) >= _FEATURES_MINIMUM:
        rule = f"any of {len(features)} features is more than missing, zero or empty"
        yield Broken("blank_records", rule, None, blank, Severity.WARNING, promised=False)


def is_blank(values: Any) -> npt.NDArray[np.bool_]:
    """Which values of a column are missing, zero, or text without a sign in it."""
    empty = pc.is_null(values, nan_is_null=True)
    family = logical_type(values.type)
    if family in (LogicalType.INTEGER, LogicalType.NUMBER):
        zero = Decimal(0) if pa.types.is_decimal(values.type) else 0
        empty = pc.or_kleene(empty, pc.equal(values, pa.scalar(zero, values.type)))
    elif family is LogicalType.TEXT and not pa.types.is_dictionary(values.type):
        empty = pc.or_kleene(empty, pc.equal(pc.utf8_trim_whitespace(values), ""))
    return np.asarray(pc.fill_null(empty, fill_value=False).to_numpy(), dtype=bool)
