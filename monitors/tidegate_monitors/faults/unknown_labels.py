"""Labels are written that no class has."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def unknown_labels(table: Any, label: str, value: object, share: float, rng: np.random.Generator) -> Any:
    """A share of rows has another label."""
    kind = table.schema.field(label).type
    wrong = pa.array(rng.random(table.num_rows) < share)
    values = pc.if_else(wrong, pa.scalar(value, kind), table.column(label))
    return table.set_column(table.column_names.index(label), label, values)
