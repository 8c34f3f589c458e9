"""The model reads its own earlier answer."""

from __future__ import annotations

from typing import Any

import pyarrow as pa


def feedback_loop(table: Any, column: str, earlier: Any, entity: str, prediction: str) -> Any:
    """A feature replaced by what was last predicted of the same entity; entities that are new keep their value.

    Args:
        table: A batch.
        column: The feature.
        earlier: An earlier batch, with predictions.
        entity: The column that names whom a row is about.
        prediction: The column with the predictions.
    """
    said = dict(zip(earlier.column(entity).to_pylist(), earlier.column(prediction).to_pylist(), strict=True))
    own = zip(table.column(entity).to_pylist(), table.column(column).to_pylist(), strict=True)
    values = pa.array([said.get(name, value) for name, value in own], table.schema.field(column).type)
    return table.set_column(table.column_names.index(column), column, values)
