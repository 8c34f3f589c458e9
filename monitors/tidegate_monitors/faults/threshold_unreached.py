"""Predictions that all stay below the threshold from which somebody acts."""

from __future__ import annotations

from typing import Any

import pyarrow.compute as pc


def threshold_unreached(table: Any, column: str, threshold: float) -> Any:
    """All predictions shrunk by one factor so that the greatest is just below a threshold.

    The order of rows stays as it was, as after a new calibrator or stronger regularisation; so measures of ranking see
    nothing. A batch whose predictions are all below already is given back as it is.
    """
    values = table.column(column)
    highest = pc.max(values).as_py()
    if highest is None or highest < threshold:
        return table
    shrunk = pc.multiply(values, 0.99 * threshold / highest).cast(values.type)
    return table.set_column(table.column_names.index(column), column, shrunk)
