"""One of pandera's errors, told alike in both of its dialects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Failure:
    """What pandera found broken.

    Attributes:
        reason: Pandera's ``SchemaErrorReason``.
        schema: The field or schema that it belongs to.
        check: The pandera check, or the name of a structural one.
        column: The column concerned; None for the table.
        rows: 0-based positions of the rows that are to blame; None where it is about all of them.
        words: What pandera names as the cause, where it is a text: a type, a column, what a check raised.
    """

    reason: Any
    schema: Any
    check: Any
    column: str | None
    rows: npt.NDArray[np.int64] | None
    words: str | None = None

    @classmethod
    def of(cls, error: Any, rows: npt.NDArray[np.int64] | None) -> Failure:
        """Read a ``pandera.errors.SchemaError``."""
        is_frame = type(error.schema).__name__ == "DataFrameSchema"
        words = error.failure_cases if isinstance(error.failure_cases, str) else None
        column = None if is_frame else error.schema.name
        return cls(error.reason_code, error.schema, error.check, column, rows, words)
