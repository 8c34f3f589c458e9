"""An index of plain steps, which pandas keeps in a file's metadata instead of a column."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from tidegate_contracts.contract import Contract
from tidegate_contracts.dialect import levels_of


def with_range_index(table: Any, metadata: Mapping[bytes, bytes] | None, contract: Contract) -> Any:
    """A table with the one level of the index that its contract declares, where only the metadata has it.

    The metadata came with the file and is believed only where it describes as many rows as there are.
    """
    levels = list(levels_of(contract.pandera_schema))
    if len(levels) != 1 or levels[0] in table.column_names:
        return table
    steps = _steps(metadata)
    if steps is None or steps[0] != levels[0] or len(steps[1]) != table.num_rows:
        return table
    values = np.arange(steps[1].start, steps[1].stop, steps[1].step, dtype=np.int64)
    return table.append_column(levels[0], pa.chunked_array([pa.array(values)]))


def _steps(metadata: Mapping[bytes, bytes] | None) -> tuple[str, range] | None:
    """The name and the steps of a range that pandas wrote down; None where there is none, or none that can be read."""
    try:
        (described,) = json.loads((metadata or {}).get(b"pandas", b"{}")).get("index_columns", ())
        numbers = [described[name] for name in ("start", "stop", "step")]
        name, kind = described["name"], described["kind"]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    whole = all(isinstance(number, int) and abs(number) < 2**62 for number in numbers)
    if kind != "range" or not isinstance(name, str) or not whole or not numbers[2]:
        return None
    return name, range(*numbers)
