"""Pandera's polars dialect: columns as polars series, and its answers as failures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tidegate_contracts.failure import Failure
from tidegate_contracts.question import Question
from tidegate_contracts.types import DeclaredType

Rows = npt.NDArray[np.int64]
_OUTPUT = "check_output"


def frame_of(columns: Mapping[str, Any], declared: Mapping[str, DeclaredType], rows: int) -> Any:
    """Arrow columns as a polars data frame with the types that the contract declares."""
    import polars as pl

    series = [_to_series(name, values, declared[name]) for name, values in columns.items()]
    return pl.DataFrame(series, nan_to_null=False) if series else pl.DataFrame(height=rows)


def _to_series(name: str, values: Any, declared: DeclaredType) -> Any:
    import polars as pl

    series = pl.Series(name, pl.from_arrow(values))
    if declared.native is None or series.dtype == declared.native:
        return series
    return series.cast(declared.native, strict=False)


def ask(question: Question, frame: Any) -> tuple[list[Failure], Any]:
    """Validate a frame lazily: the failures, and the frame as the schema's parsers leave it.

    Raises:
        Exception: Whatever a parser of the user's raised.
    """
    import pandera.errors

    try:
        return [], question.schema.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        return [Failure.of(error, _rows(error, frame)) for error in errors.schema_errors], frame


def duplicated(frame: Any, names: Sequence[str], keep: str = "all") -> Rows:
    """Positions of rows that share their values in some columns; this dialect reports all of them."""
    del keep
    return np.flatnonzero(frame.select(list(names)).is_duplicated().to_numpy())


def changed(frame: Any, result: Any) -> list[str] | None:
    """The columns whose values a parser or default changed; None where it added or dropped rows."""
    if result.height != frame.height:
        return None
    shared = [name for name in frame.columns if name in result.columns]
    return [name for name in shared if not frame[name].equals(result[name], check_dtypes=True)]


def coerce(values: Any, dtype: Any) -> tuple[Any, Rows]:
    """Values as polars casts them, and the positions of those that it cannot; these become missing.

    Raises:
        TypeError: Nothing of the column can be coerced.
    """
    import polars as pl

    series = pl.Series("", pl.from_arrow(values))
    try:
        coerced = series.cast(dtype.type, strict=False)
        arrow = coerced.to_arrow()
    except (pl.exceptions.PolarsError, pa.ArrowException) as error:
        raise TypeError(str(dtype)) from error
    bad = (coerced.is_null() & series.is_not_null()).to_numpy()
    return pa.chunked_array([arrow]), np.flatnonzero(bad)


def strange_categories(values: Any, declared: DeclaredType) -> Rows:
    """Positions of values outside the declared categories, which have no form in the declared type."""
    import polars as pl

    if not isinstance(declared.native, pl.Enum):
        return np.zeros(0, dtype=np.int64)
    series = pl.Series("", pl.from_arrow(values))
    known = series.cast(pl.String).is_in(declared.native.categories)
    return np.flatnonzero((series.is_not_null() & ~known.fill_null(True)).to_numpy())


def _rows(error: Any, frame: Any) -> Rows | None:
    """The positions of the rows that an error blames; None where it blames the table."""
    import polars as pl

    output = error.check_output
    if not isinstance(output, pl.DataFrame) or _OUTPUT not in output.columns or output.height != frame.height:
        return None
    return np.flatnonzero(~output[_OUTPUT].fill_null(True).to_numpy())
