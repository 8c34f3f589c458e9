"""Pandera's pandas dialect: columns as series, and its answers as failures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from tidegate_contracts.failure import Failure
from tidegate_contracts.question import Question
from tidegate_contracts.types import DeclaredType, fits_float

Rows = npt.NDArray[np.int64]


def frame_of(columns: Mapping[str, Any], declared: Mapping[str, DeclaredType], rows: int) -> pd.DataFrame:
    """Arrow columns as a data frame with the dtypes that the contract declares, and positions as its index."""
    series = {name: to_series(values, declared[name]) for name, values in columns.items()}
    return pd.DataFrame(series, index=pd.RangeIndex(rows), copy=False)


def ask(question: Question, frame: pd.DataFrame) -> tuple[list[Failure], pd.DataFrame]:
    """Validate a frame lazily: the failures, and the frame as the schema's parsers leave it.

    Raises:
        Exception: Whatever a parser of the user's raised.
    """
    schema = copy(question.schema)
    schema.columns = {name: _following(field, frame) for name, field in schema.columns.items()}
    if not question.levels or not schema.checks:
        return _validate(schema, frame, transforms=question.transforms)
    whole = copy(schema)  # checks of the table may ask for the index, so they get it
    whole.columns, whole.unique, whole.strict, whole.ordered = {}, None, False, False
    schema.checks = []
    failures, result = _validate(schema, frame, transforms=question.transforms)
    others, _ = _validate(whole, frame.set_index(list(question.levels)), transforms=question.transforms)
    return [*failures, *others], result


def _validate(schema: Any, frame: pd.DataFrame, *, transforms: bool) -> tuple[list[Failure], pd.DataFrame]:
    import pandera.errors

    try:  # the frame is our own, so it is copied only where a parser would change it
        return [], schema.validate(frame, lazy=True, inplace=not transforms)
    except pandera.errors.SchemaErrors as errors:
        return [Failure.of(error, _rows(error, frame)) for error in errors.schema_errors], frame


def _following(field: Any, frame: pd.DataFrame) -> Any:
    """A field that asks for the dtype which missing values force on its column, where they do."""
    name = field.name
    if field.dtype is None or name not in frame or not isinstance(getattr(field.dtype, "type", None), np.dtype):
        return field
    if frame[name].dtype == field.dtype.type:
        return field
    from pandera.engines.pandas_engine import Engine

    own = copy(field)
    own.dtype = Engine.dtype(frame[name].dtype)
    return own


def duplicated(frame: pd.DataFrame, names: Sequence[str], keep: str = "all") -> Rows:
    """Positions of rows that share their values in some columns, as pandera's ``report_duplicates`` counts them."""
    kept: Any = {"exclude_first": "first", "exclude_last": "last"}.get(keep, False)
    return np.flatnonzero(frame.duplicated(subset=list(names), keep=kept).to_numpy())


def changed(frame: pd.DataFrame, result: pd.DataFrame) -> list[str] | None:
    """The columns whose values a parser or default changed; None where it added, dropped or moved rows."""
    if len(result) != len(frame) or not result.index.equals(frame.index):
        return None
    return [str(name) for name in frame.columns.intersection(result.columns) if not frame[name].equals(result[name])]


def coerce(values: Any, dtype: Any) -> tuple[Any, Rows]:
    """Values as pandera coerces them, and the positions of those that it cannot; these become missing.

    Raises:
        TypeError: Nothing of the column can be coerced.
    """
    import pandera.errors

    series, bad = values.to_pandas(), np.zeros(len(values), dtype=bool)
    for _ in range(2):  # once to learn which cells it cannot coerce, once without them
        try:
            coerced = dtype.try_coerce(series[~bad])
            break
        except pandera.errors.ParserError as error:
            cases = error.failure_cases
            if not isinstance(cases, pd.DataFrame):
                raise TypeError(str(dtype)) from error
            bad[cases["index"].to_numpy(dtype=np.int64)] = True
    else:
        raise TypeError(str(dtype))
    places = pa.array(np.where(bad, 0, np.cumsum(~bad) - 1), pa.int64(), mask=bad)  # no gap in pandas: it would round
    bad &= series.notna().to_numpy()  # a missing cell is missing, whatever its type
    try:
        return pa.chunked_array([pa.Array.from_pandas(coerced).take(places)]), np.flatnonzero(bad)
    except pa.ArrowException as error:
        raise TypeError(str(dtype)) from error


def to_series(values: Any, declared: DeclaredType) -> pd.Series[Any]:
    """One reconciled column as the pandas series that pandera will be asked about.

    Integers and booleans with missing values become what pandas makes of them (float64 below 2**53, else a masked
    type), because a numpy integer cannot be missing; :func:`dtype_for` says which, so that the schema can follow.
    """
    native = dtype_for(values, declared)
    if native is None:
        series: pd.Series[Any] = values.to_pandas()
        return series
    if isinstance(native, pd.CategoricalDtype) and native.categories is not None:
        present = values.to_pandas()
        return pd.Series(pd.Categorical(present.where(present.isin(native.categories)), dtype=native))
    if isinstance(native, pd.StringDtype):
        from_arrow: Any = native.__from_arrow__  # type: ignore[attr-defined] # the stubs leave pandas' own protocol out
        return pd.Series(from_arrow(values), dtype=native)
    if isinstance(native, pd.api.extensions.ExtensionDtype) and not isinstance(native, pd.DatetimeTZDtype):
        return pd.Series(values.to_pandas(types_mapper=lambda _: native))
    series = values.to_pandas()
    return series if series.dtype == native else series.astype(native)


def strange_categories(values: Any, declared: DeclaredType) -> Rows:
    """Positions of values outside the declared categories, which pandas would make missing in silence."""
    native = declared.native
    if not isinstance(native, pd.CategoricalDtype) or native.categories is None:
        return np.zeros(0, dtype=np.int64)
    series = values.to_pandas()
    return np.flatnonzero((series.notna() & ~series.isin(native.categories)).to_numpy())


def dtype_for(values: Any, declared: DeclaredType) -> Any:
    """The pandas dtype a column really gets: the declared one unless missing values forbid it."""
    native = declared.native
    if not isinstance(native, np.dtype) or values.null_count == 0:
        return native
    if native.kind in "iu":
        masked = pd.UInt64Dtype() if native.kind == "u" else pd.Int64Dtype()
        return np.dtype("float64") if fits_float(values) else masked
    return pd.BooleanDtype() if native.kind == "b" else native


def _rows(error: Any, frame: pd.DataFrame) -> Rows | None:
    """The positions of the rows that an error blames; None where it blames the table.

    Args:
        error: Pandera's.
        frame: What it was asked about: its index is positions, or the levels that the user's schema declares.
    """
    output = error.check_output
    if getattr(error.check, "groupby", None) is not None:
        return _rows_of_groups(error.check, output, frame)
    if isinstance(output, pd.Series | pd.DataFrame) and len(output) == len(frame) and output.index.equals(frame.index):
        answers = output.to_numpy()
        if answers.dtype == bool:
            return np.flatnonzero(~(answers if answers.ndim == 1 else answers.all(axis=1)))
    if isinstance(output, pd.Series) and output.dtype == bool:
        return _positions(output.index[~output.to_numpy()], frame)
    cases = error.failure_cases
    if not isinstance(cases, pd.DataFrame) or "index" not in cases or cases["index"].isna().all():
        return None
    return _positions(pd.Index(cases["index"].dropna()), frame)


def _positions(labels: pd.Index[Any], frame: pd.DataFrame) -> Rows | None:
    """The positions of labels of an index; None where they do not tell rows apart, or are labels of something else."""
    if not frame.index.is_unique:
        return None
    found = frame.index.get_indexer(labels)
    return np.unique(found).astype(np.int64) if found.size and (found >= 0).all() else None


def _rows_of_groups(check: Any, output: Any, frame: pd.DataFrame) -> Rows | None:
    """The rows that a check of groups blames: those it answers for, or those of the groups that it answers for."""
    if not isinstance(output, pd.Series) or output.dtype != bool:
        return None
    failing = output.index[~output.to_numpy()]
    names = [check.groupby] if isinstance(check.groupby, str) else check.groupby
    if isinstance(names, list) and len(names) == 1 and names[0] in frame:
        groups: Any = frame[names[0]]
        if set(output.index) <= set(groups.dropna().unique()):
            return np.flatnonzero(groups.isin(failing).to_numpy())
    return _positions(failing, frame)
